"""Face verification over REST: sessions are opened, fed with sealed frames, and end with a result.

route (REST) -> service (sessions) -> lookers (threads) -> haechi.isolated.VerificationProcess
"""
