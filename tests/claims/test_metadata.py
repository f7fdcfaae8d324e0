"""What cameras, programs and generators wrote into a file."""

from __future__ import annotations

import io
import struct
import time
import zlib
from pathlib import Path

import pytest
from noted import EXIF, XMP, box, drawn, full_meta, item, jpeg, png, png_text, spoken, tiff, webp, xmp

from haechi.claims import Subject, source_types
from haechi.claims.metadata import MetadataClaim
from haechi.claims.programs import kind_of, signed_by
from haechi.claims.raw_metadata import STORE
from haechi.claims.source_types import label_fact, source_fact
from haechi.claims.video_metadata import video_metadata
from haechi.media import open_media
from haechi.media.original import Original
from haechi.report.messages import catalogue, sentence
from haechi.settings import Settings
from haechi.types import Claim, Reason
from tinyvideo import avi
from tinyvideo import jpeg as frame

SETTINGS = Settings()
PROMPT = "portrait of Jane Roe, smiling"
WEBUI = (
    f"{PROMPT}\nNegative prompt: blurry\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1, Size: 512x512"
)
COMFY = '{"3": {"class_type": "KSampler", "inputs": {"seed": 5, "text": "portrait of Jane Roe, smiling"}}}'
NOVELAI = (
    '{"prompt": "portrait of Jane Roe, smiling", "steps": 28, "sampler": "k_euler", "seed": 3, "uc": "bad"}'
)
IPTC = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def state(data: bytes | Path) -> Claim:
    """What the claim says, every sentence of it tried in every language."""
    said = MetadataClaim(SETTINGS).state(Subject(Original.of(data), open_media(data, SETTINGS)))
    return spoken(said)


def facts(data: bytes) -> dict[str, str]:
    """Code -> what fills its gap."""
    return {f.code: str(next(iter(f.params.values()), "")) for f in state(data).facts}


def user_comment(text: bytes, order: str = "<") -> bytes:
    return jpeg((0xE1, EXIF + tiff({0x010F: b"A\x00"}, {0x9286: text}, order)))


def _alternative(name: str, text: str) -> str:
    return f"<{name}><rdf:Alt><rdf:li>{text}</rdf:li></rdf:Alt></{name}>"


def test_a_file_that_names_nothing_is_not_suspected() -> None:
    said = state(drawn())
    assert (said.outcome, said.reason.code, said.facts) == ("answered", "metadata_none", ())
    assert "says nothing either way" in sentence(said.reason)


def test_a_camera_is_named_once() -> None:
    exif = tiff({0x010F: b"Canon\x00", 0x0110: b"Canon EOS R5\x00", 0x0131: b"Firmware 1.8.1\x00"})
    said = state(jpeg((0xE1, EXIF + exif)))
    assert said.reason.code == "metadata_found"
    assert facts(jpeg((0xE1, EXIF + exif))) == {
        "meta_camera": "Canon EOS R5",
        "meta_program": "Firmware 1.8.1",
    }
    nikon = tiff({0x010F: b"NIKON CORPORATION\x00", 0x0110: b"NIKON Z 8\x00"}, order=">")
    assert facts(jpeg((0xE1, EXIF + nikon))) == {"meta_camera": "NIKON Z 8"}
    assert facts(webp((b"EXIF", tiff({0x010F: b"samsung\x00", 0x0110: b"SM-S928N\x00"})))) == {
        "meta_camera": "samsung SM-S928N"
    }


@pytest.mark.parametrize(
    ("software", "code"),
    [
        ("Adobe Photoshop 25.1 (Windows)", "meta_editor"),
        ("Snapseed 2.0", "meta_editor"),
        ("FaceApp", "meta_face_app"),
        ("美图秀秀 9.8", "meta_face_app"),
        ("facefusion 3.0.0", "meta_face_app"),
        ("Midjourney", "meta_generator"),
        ("即梦AI", "meta_generator"),
        ("NovelAI", "meta_generator"),
        ("Lavf58.76.100", "meta_converter"),
        ("17.4.1", "meta_program"),
        ("Zaoyang Camera", "meta_program"),
    ],
)
def test_programs_are_told_apart_by_what_they_do(software: str, code: str) -> None:
    found = facts(jpeg((0xE1, EXIF + tiff({0x0131: software.encode() + b"\x00"}))))
    assert list(found) == [code]


@pytest.mark.parametrize(
    ("data", "program"),
    [
        (png_text("parameters", WEBUI), "Stable Diffusion web UI"),
        (png((b"zTXt", b"parameters\x00\x00" + zlib.compress(WEBUI.encode()))), "Stable Diffusion web UI"),
        (png((b"iTXt", b"parameters\x00\x00\x00en\x00\x00" + WEBUI.encode())), "Stable Diffusion web UI"),
        (
            png((b"iTXt", b"parameters\x00\x01\x00\x00\x00" + zlib.compress(WEBUI.encode()))),
            "Stable Diffusion web UI",
        ),
        (png_text("prompt", COMFY), "ComfyUI"),
        (png_text("workflow", '{"last_node_id": 9, "nodes": []}'), "ComfyUI"),
        (png_text("invokeai_metadata", '{"positive_prompt": "portrait of Jane Roe"}'), "InvokeAI"),
        (png_text("sd-metadata", '{"image": {"prompt": "portrait of Jane Roe"}}'), "InvokeAI"),
        (png_text("Comment", NOVELAI), "NovelAI"),
        (png_text("Title", "AI generated image"), "NovelAI"),
        (png_text("parameters", '{"sui_image_params": {"prompt": "portrait of Jane Roe"}}'), "SwarmUI"),
        (png_text("fooocus_scheme", "fooocus"), "Fooocus"),
        (png_text("Description", "portrait Job ID: 0b5d1c1e-22aa-4f4e-9b1a-000000000000"), "Midjourney"),
        (user_comment(b"UNICODE\x00" + WEBUI.encode("utf-16-be")), "Stable Diffusion web UI"),
        (user_comment(b"UNICODE\x00" + WEBUI.encode("utf-16-le")), "Stable Diffusion web UI"),
        (user_comment(b"ASCII\x00\x00\x00" + WEBUI.encode(), ">"), "Stable Diffusion web UI"),
        (jpeg((0xFE, WEBUI.encode())), "Stable Diffusion web UI"),
        (webp((b"EXIF", tiff({0x010F: b'workflow:{"nodes":[]}', 0x0110: COMFY.encode()}))), "ComfyUI"),
        (jpeg((0xE1, XMP + xmp(_alternative("exif:UserComment", WEBUI)))), "Stable Diffusion web UI"),
    ],
)  # fmt: skip
def test_settings_of_generators_are_named_and_of_them_only_the_words_are_shown(
    data: bytes, program: str
) -> None:
    said = state(data)
    assert said.reason.code == "metadata_says_ai"
    prompts = [f for f in said.facts if f.code == "meta_prompt"]
    assert [f.params for f in prompts] == [{"program": program}]
    words = [str(f.params["words"]) for f in said.facts if f.code == "meta_prompt_words"]
    if "portrait" in repr(data) or b"p\x00o\x00r\x00t\x00r\x00a\x00i\x00t" in data:
        assert words, "the words are in the file, so they can be read"
    assert [w for w in words if "portrait" not in w] == []
    assert not any(left in repr(said) for left in ("class_type", "Steps: ", "Job ID", "Negative"))


@pytest.mark.parametrize(
    "text", ["our wedding, 3 May, first snow", "gemini and her sister Sora", "Steps: to the beach"]
)
def test_private_words_are_not_shown(text: str) -> None:
    for data in (
        jpeg((0xFE, text.encode())),
        png_text("Comment", text),
        user_comment(b"ASCII\x00\x00\x00" + text.encode()),
    ):
        assert not facts(data).keys() - {"meta_camera"}


def test_places_times_and_names_are_not_read() -> None:
    exif = tiff({0x0132: b"2026:01:02 03:04:05\x00", 0x013B: b"Jane Roe\x00", 0x8298: b"Jane Roe\x00"})
    assert state(jpeg((0xE1, EXIF + exif))).reason.code == "metadata_none"


def test_comments_of_programs_are_told_by_the_name_alone() -> None:
    comment = b"CREATOR: gd-jpeg v1.0 (using IJG JPEG v62), quality = 90"
    assert facts(jpeg((0xFE, comment))) == {"meta_converter": "gd-jpeg"}
    assert signed_by("Created with GIMP on Jane's computer") == "GIMP"
    assert signed_by("Jane, made happy by snow") == ""
    assert kind_of("Paintings of Sorano") is None


def test_the_history_of_editing() -> None:
    steps = "".join(
        f'<rdf:li stEvt:action="{action}" stEvt:softwareAgent="Adobe Photoshop 24.0 (Macintosh)"/>'
        for action in ("created", "converted", "saved", "saved")
    )
    packet = xmp(f"<xmpMM:History><rdf:Seq>{steps}</rdf:Seq></xmpMM:History>", 'xmp:CreatorTool="Snapseed"')
    for data in (
        jpeg((0xE1, XMP + packet)),
        png((b"iTXt", b"XML:com.adobe.xmp\x00\x00\x00\x00\x00" + packet)),
        webp((b"XMP ", packet)),
    ):
        said = state(data)
        assert [f.code for f in said.facts] == ["meta_editor", "meta_editor", "meta_history"]
        assert said.facts[-1].params == {"n": 3}
        assert said.facts[0].params == {"program": "Snapseed"}


@pytest.mark.parametrize(
    ("term", "code"),
    [
        ("trainedAlgorithmicMedia", "source_ai"),
        ("compositeWithTrainedAlgorithmicMedia", "source_ai_part"),
        ("digitalCapture", "source_camera"),
        ("screenCapture", "source_screen"),
    ],
)
def test_the_source_that_iptc_words(term: str, code: str) -> None:
    as_attribute = xmp(attributes=f'ext:DigitalSourceType="{IPTC}{term}"')
    as_element = xmp(f"<ext:DigitalSourceType>{IPTC}{term}</ext:DigitalSourceType>")
    for packet in (as_attribute, as_element):
        said = state(jpeg((0xE1, XMP + packet)))
        assert [f.code for f in said.facts] == [code]
        assert (said.reason.code == "metadata_says_ai") == code.startswith("source_ai")


def test_sources_that_are_unknown_say_nothing() -> None:
    for uri in (None, 3, "", "http://x/", f"{IPTC}somethingNew", "a" * 10_000):
        assert source_fact(uri) is None
    assert source_fact("digsrctype:trainedAlgorithmicMedia") == Reason("source_ai")


def test_every_term_and_label_has_a_sentence() -> None:
    for code in (*source_types._CODES.values(), *source_types._LABELS.values()):
        assert code in catalogue("en")


def test_the_label_of_china() -> None:
    label = '{"Label": "1", "ContentProducer": "x"}'
    assert list(facts(png_text("AIGC", label))) == ["label_ai"]
    escaped = label.replace('"', "&quot;")
    assert list(facts(jpeg((0xE1, XMP + xmp(attributes=f'TC260:AIGC="{escaped}"'))))) == ["label_ai"]
    assert list(facts(jpeg((0xE1, XMP + xmp(f"<TC260:AIGC>{label}</TC260:AIGC>"))))) == ["label_ai"]
    assert label_fact('{"Label": "2"}') == Reason("label_ai_perhaps")
    assert label_fact("{Label: 3}") == Reason("label_ai_suspected")
    for text in ("", "{}", "[]", '{"Label": "9"}', "[" * 50_000, '{"Label": ["1"]}'):
        assert label_fact(text) is None


def test_a_generator_that_gives_credit_to_itself() -> None:
    data = jpeg((0xE1, XMP + xmp(attributes='photoshop:Credit="Made with Google AI"')))
    assert facts(data) == {"meta_generator": "Made with Google AI"}
    data = jpeg((0xE1, XMP + xmp(attributes='ext:AISystemUsed="Example Imager 4"')))
    assert state(data).reason.code == "metadata_says_ai"
    assert not facts(jpeg((0xE1, XMP + xmp(attributes='photoshop:Credit="Jane Roe / Agency"'))))


def test_the_mark_of_facebook_and_the_screenshot_of_a_phone() -> None:
    iptc = b"Photoshop 3.0\x008BIM\x04\x04\x00\x00\x00\x00\x00\x10\x1c\x02\x28\x00\x08FBMD0100"
    assert list(facts(jpeg((0xED, iptc)))) == ["meta_facebook"]
    assert "source_screen" in facts(user_comment(b"ASCII\x00\x00\x00Screenshot"))


def test_content_credentials_are_mentioned_when_nothing_can_read_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = jpeg((0xEB, b"JP\x00\x01\x00\x00\x00\x01\x00\x00\x00\x30jumb\x00\x00\x00\x1ejumd" + STORE))
    monkeypatch.setattr("haechi.claims.metadata.installed", lambda: False)
    assert list(facts(data)) == ["meta_c2pa"]
    monkeypatch.setattr("haechi.claims.metadata.installed", lambda: True)
    assert list(facts(data)) == []


def test_hostile_text_is_cleaned_and_short() -> None:
    hostile = "\u202eevil\x1b[2J\nProgram" + "x" * 500
    said = state(jpeg((0xE1, EXIF + tiff({0x0131: hostile.encode() + b"\x00", 0x0110: hostile.encode()}))))
    text = " ".join(sentence(f) for f in said.facts)
    assert not set(text) & set("\u202e\x1b\n")
    assert len(text) < 300


def test_a_format_whose_notes_are_not_read_is_said() -> None:
    said = state(drawn("BMP"))
    assert (said.outcome, said.reason.code) == ("unread", "metadata_format")


# What stands behind XMP in a GIF, so that readers of sub-blocks find their way out (XMP part 3, 1.1.2).
_MAGIC = bytes([1, *range(255, -1, -1), 0])


def test_gif_and_tiff_are_read_too() -> None:
    packet = xmp(attributes='xmp:CreatorTool="Adobe Photoshop 2024"')
    gif = drawn("GIF")
    comment = b"\x21\xfe\x11Created with GIMP\x00"
    assert facts(gif[:-1] + b"\x21\xff\x0bXMP DataXMP" + packet + _MAGIC + b";") == {
        "meta_editor": "Adobe Photoshop 2024"
    }
    at = 13 + 3 * 2 ** ((gif[10] & 7) + 1)
    assert facts(gif[:at] + comment + gif[at:]) == {"meta_editor": "GIMP"}
    assert facts(drawn("TIFF") + packet) == {"meta_editor": "Adobe Photoshop 2024"}


def movie(*boxes: bytes) -> io.BytesIO:
    return io.BytesIO(
        box(b"ftyp", b"isom\x00\x00\x00\x00isom") + b"".join(boxes) + box(b"mdat", b"\x00" * 100)
    )


def test_notes_in_videos() -> None:
    itunes = box(b"udta", full_meta([item(b"\xa9too", b"Lavf60.3.100"), item(b"\xa9cmt", b"hello")]))
    phone = full_meta(
        [item(struct.pack(">I", 1), b"Apple"), item(struct.pack(">I", 2), b"iPhone 15 Pro")],
        [b"com.apple.quicktime.make", b"com.apple.quicktime.model"],
    )
    old = box(b"udta", box(b"\xa9swr", b"\x00\x0c\x15\xc7CapCut 11.0"))
    uuid = box(b"uuid", bytes.fromhex("BE7ACFCB97A942E89C71999491E3AFAC") + xmp())
    metadata = video_metadata(movie(box(b"moov", itunes + phone + old), uuid), "mp4")
    assert metadata.texts == [
        ("software", "Lavf60.3.100"),
        ("comment", "hello"),
        ("make", "Apple"),
        ("model", "iPhone 15 Pro"),
        ("software", "CapCut 11.0"),
    ]
    assert len(metadata.xmp) == 1
    assert not metadata.c2pa
    store = box(b"uuid", bytes.fromhex("D8FEC3D61B0E483C92975828877EC481") + b"\x00" * 21 + STORE)
    assert video_metadata(movie(store), "mov").c2pa


def test_notes_in_avi_and_matroska() -> None:
    data = avi([frame(64, 48)] * 4, 64, 48)
    info = (
        b"LIST"
        + struct.pack("<I", 4 + 8 + 14)
        + b"INFO"
        + b"ISFT"
        + struct.pack("<I", 14)
        + b"Lavf58.76.100\x00"
    )
    assert video_metadata(io.BytesIO(data + info), "avi").texts == [("software", "Lavf58.76.100")]
    inner = b"\x4d\x80\x84Lavf" + b"\x57\x41\x89HandBrake"
    segment = b"\x15\x49\xa9\x66" + bytes((0x80 | len(inner),)) + inner
    head = b"\x1a\x45\xdf\xa3\x84webm" + b"\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff" + segment
    assert video_metadata(io.BytesIO(head), "mkv").texts == [("software", "Lavf"), ("software", "HandBrake")]


def test_a_photograph_of_four_megabytes_takes_no_time(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    filler = tuple((0xE2, b"x" * 65_000) for _ in range(64))
    path.write_bytes(jpeg((0xE1, EXIF + tiff({0x010F: b"Canon\x00"})), (0xE1, XMP + xmp()), *filler))
    subject = Subject(Original.of(path), open_media(path, SETTINGS))
    start = time.perf_counter()
    MetadataClaim(SETTINGS).state(subject)
    assert time.perf_counter() - start < 0.2  # a bound for a busy machine; see the claims' stage for the time
