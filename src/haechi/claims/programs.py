"""Names of programs as files carry them, and of what kind each is.

The lists serve people: a name that is in none of them is shown all the same, only without saying what the
program does. They hold what is met in pictures and videos that circulate, as parts of regular expressions;
the first kind that fits wins.
"""

from __future__ import annotations

import re
from functools import cache

_FACE_APPS = """
deepfacelab, deepfacelive, facefusion, face ?swap(?:per)?, faceswapper, roop, reface, faceapp, facetune,
face ?magic, deepswap, swapface, akool, deep-?live-?cam, wav2lip, sadtalker, liveportrait, zao, avatarify,
wombo, remini, beautyplus, beautycam, meitu(?:pic)?, 美图秀秀, 美图, 美颜相机, faceu, 轻颜(?:相机)?,
ulike, b612, snow(?: camera)?, youcam(?: makeup| perfect)?, perfect365, lensa, 醒图, hypic, soda ?camera,
epik
"""
"""Change faces, put one in the place of another, or make them speak."""

_GENERATORS = """
midjourney, dall[-· ]?e, stable[ -]?diffusion, sd[ -]?webui, automatic1111, novelai, comfyui, invokeai,
fooocus, swarmui, easy ?diffusion, draw ?things, diffusionbee, nmkd, dreamstudio, adobe firefly, firefly,
made with google ai, edited with google ai, google ai, imagen [0-9], nano banana, gemini, grok, ideogram,
leonardo[. ]?ai, recraft, krea(?:[. ]ai)?, bing image creator, image creator, chatgpt, openai, gpt-4o,
gpt-image, sora, runway(?:ml)?, pika(?: labs)?, kling, hailuo, luma (?:ai|dream machine), veo [0-9],
seedream, seedance, jimeng, dreamina, doubao, 即梦, 豆包, 可灵, 海螺AI, 文心一格, 通义万相, tensor\\.?art,
civitai, nightcafe, craiyon, playground ai, flux\\.?1, black forest labs, hunyuan, heygen, d-id,
synthesia, hedra, stability ai, imagine with meta, made with ai, ai generated image
"""
"""Make pictures or videos from words or from noise."""

_EDITORS = """
photoshop, lightroom, camera raw, after effects, premiere, snapseed, gimp, affinity, pixelmator, picsart,
canva, capture one, luminar, vsco, krita, paint\\.net, photoscape, fotor, pixlr, polarr, photodirector,
powerdirector, paintshop, darktable, rawtherapee, dxo, topaz, capcut, 剪映, jianying, inshot, kinemaster,
davinci, final cut, imovie, lumafusion, filmora, vegas pro, kdenlive, shotcut, openshot, picasa, acdsee,
corel, blender, adobe
"""
"""Edit what a picture or video shows."""

_CONVERTERS = """
lavf, lavc, ffmpeg, x26[45], handbrake, imagemagick, graphicsmagick, gd-jpeg, libvips, pillow, libwebp,
squoosh, mozjpeg, libjpeg, google, twitter, tiktok, core media, mainconcept, libebml, libmatroska,
mkvmerge, gpac, mp4box, gstreamer, libheif, libavif, tinypng, irfanview, xnview, skia, chrome, wechat,
whatsapp, telegram, kakaotalk
"""
"""Store pictures and videos anew, as sites and messengers do all day."""


def _any(names: str) -> re.Pattern[str]:
    # A name stands by itself: "zao" is not in "Zaoyang", though a number or another script may follow.
    edge = "(?:(?<![A-Za-z])|(?![A-Za-z]))"
    either = "|".join(name.strip() for name in names.split(","))
    return re.compile(rf"{edge}(?:{either}){edge}", re.IGNORECASE)


@cache
def _kinds() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Made for the first file that names a program: most name none."""
    lists = {"face_app": _FACE_APPS, "generator": _GENERATORS, "editor": _EDITORS, "converter": _CONVERTERS}
    return tuple((kind, _any(names)) for kind, names in lists.items())


_SIGNATURE = re.compile(
    r"\s*(?:creator\s*:|(?:created|made|edited|generated|compressed) (?:with|by|in|using)\b|lav[cf]\d)",
    re.IGNORECASE,
)


def signed_by(comment: str) -> str:
    """The program that left a comment such as ``CREATOR: gd-jpeg v1.0``; empty for what people write, which
    may be private, and in which "snow" is weather."""
    if not _SIGNATURE.match(comment[:200]):
        return ""
    matches = (pattern.search(comment[:200]) for _, pattern in _kinds())
    match = next(filter(None, matches), None)
    return match[0] if match else ""


def kind_of(name: str) -> str | None:
    """``face_app``, ``generator``, ``editor`` or ``converter``; None for a name in none of the lists."""
    return next((kind for kind, pattern in _kinds() if pattern.search(name[:200])), None)
