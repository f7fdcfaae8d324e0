"""A stand for face verification: sessions rendered by code, genuine and forged, without anybody's picture.

head (shape, skin) -> scene (motion, light of room and screen) -> camera (noise, codec) -> frames
"""
