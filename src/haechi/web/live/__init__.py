"""A call under watch: the page sends its frames over a WebSocket, one at a time, and is told what they show.

    /v1/live (route) -> conversation -> watch -> haechi.isolated.CallProcess

``route``         who may, how many at a time      ``conversation``  frames in, states out, their limits
``watch``         the thread that asks the process
"""
