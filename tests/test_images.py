import io
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from emotion_core.errors import BadInput
from emotion_core.images import decode_image, to_face, to_gray, to_network_input

WIDTH, HEIGHT = 60, 40


def picture(mode: str = "RGB") -> Image.Image:
    """A red left half and a blue right half, 60 x 40."""
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    pixels[:, : WIDTH // 2] = (200, 30, 30)
    pixels[:, WIDTH // 2 :] = (30, 30, 200)
    return Image.fromarray(pixels).convert(mode)


def encode(image: Image.Image, kind: str, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP"])
def test_each_format_decodes_to_the_same_rgb(kind):
    decoded = decode_image(encode(picture(), kind), "photo")
    assert decoded.dtype == np.uint8
    assert decoded.shape == (HEIGHT, WIDTH, 3)
    np.testing.assert_allclose(decoded[20, 10], (200, 30, 30), atol=12)
    np.testing.assert_allclose(decoded[20, 50], (30, 30, 200), atol=12)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("L", "PNG"), ("L", "JPEG"), ("P", "PNG"), ("1", "PNG"), ("LA", "PNG"), ("RGBA", "PNG"), ("CMYK", "JPEG")],
)
def test_each_colour_mode_decodes_to_rgb(mode, kind):
    decoded = decode_image(encode(picture(mode), kind), "photo")
    assert decoded.shape == (HEIGHT, WIDTH, 3)
    colour = decoded[20, 10].astype(int)
    assert colour.max() - colour.min() > 100 if mode in ("P", "RGBA", "CMYK") else colour.max() == colour.min()


def test_sixteen_bits_keep_their_upper_eight():
    deep = np.arange(HEIGHT * WIDTH, dtype=np.uint16).reshape(HEIGHT, WIDTH) * 27
    decoded = decode_image(encode(Image.fromarray(deep), "PNG"), "scan.png")
    np.testing.assert_array_equal(decoded[..., 0], deep >> 8)
    np.testing.assert_array_equal(decoded[..., 0], decoded[..., 2])


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_shows_white(mode):
    clear = Image.new("RGBA", (8, 8), (0, 0, 0, 0)).convert(mode)
    options = {"transparency": 0} if mode == "P" else {}
    if mode == "P":
        clear = Image.new("P", (8, 8), 0)
    assert (decode_image(encode(clear, "PNG", **options), "logo.png") == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(orientation):
    upright = picture()
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(undo[orientation]) if orientation in undo else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode_image(encode(stored, "PNG", exif=exif), "phone.png")
    np.testing.assert_array_equal(decoded, np.asarray(upright))


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_damaged_exif_data_does_not_spoil_the_picture():
    content = encode(picture(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff")
    assert decode_image(content, "phone.jpg").shape == (HEIGHT, WIDTH, 3)


def animation(kind: str) -> bytes:
    return encode(picture(), kind, save_all=True, append_images=[picture("L").convert("RGB")], duration=100)


def header_of_a_huge_png(side: int) -> bytes:
    content = encode(Image.new("1", (64, 64)), "PNG")
    huge = side.to_bytes(4, "big") * 2
    header = b"IHDR" + huge + content[24:29]

    return content[:12] + header + zlib.crc32(header).to_bytes(4, "big") + content[33:]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "is empty"),
        (b"id,emotion,pixels\n", "is not a picture"),
        (encode(picture(), "GIF"), "is not a picture"),
        (encode(picture(), "PNG")[:-40], "damaged or cut off"),
        (encode(picture(), "JPEG")[:-100], "damaged or cut off"),
        (animation("PNG"), "is animated"),
        (animation("WEBP"), "is animated"),
        (header_of_a_huge_png(8_000), "too large: 8,000 x 8,000"),
        (header_of_a_huge_png(60_000), "too large"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_what_is_no_usable_picture_is_refused_by_name(content, cause):
    with pytest.raises(BadInput, match=r"^holiday\.png ") as refusal:
        decode_image(content, "holiday.png")
    assert cause in str(refusal.value)


@settings(max_examples=60)
@given(st.binary(max_size=300), st.integers(0, 200))
def test_damaged_bytes_are_refused_or_decoded_but_never_anything_else(noise, place):
    content = bytearray(encode(picture(), "PNG"))
    content[place : place + len(noise)] = noise
    try:
        decoded = decode_image(bytes(content), "photo.png")
    except BadInput:
        return
    assert decoded.ndim == 3


def test_a_phone_picture_with_a_second_view_is_a_still_picture():
    content = encode(picture(), "MPO", save_all=True, append_images=[picture()])
    assert decode_image(content, "phone.jpg").shape == (HEIGHT, WIDTH, 3)


def test_gray_follows_the_eye_and_leaves_gray_alone():
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]], np.uint8)
    np.testing.assert_array_equal(to_gray(colours), [[76, 150, 29]])
    gray = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert to_gray(gray) is gray


def test_a_face_of_the_right_size_is_unchanged():
    face = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    np.testing.assert_array_equal(to_face(face), face)


def test_shrinking_averages_over_areas():
    fine = np.random.default_rng(0).integers(0, 256, (480, 480), np.uint8)
    blocks = fine.reshape(48, 10, 48, 10).mean(axis=(1, 3))
    np.testing.assert_allclose(to_face(fine), blocks, atol=1)


@pytest.mark.parametrize("shape", [(1, 1), (20, 20), (30, 300), (300, 30), (48, 96)])
def test_any_shape_becomes_a_face_of_the_same_brightness(shape):
    face = to_face(np.full(shape, 130, np.uint8))
    assert face.shape == (48, 48)
    assert (face == 130).all()


def test_network_input_is_the_images_over_255():
    images = np.random.default_rng(0).integers(0, 256, (3, 48, 48), np.uint8)
    images[0, 0, :2] = (0, 255)
    prepared = to_network_input(images)
    assert prepared.dtype == np.float32
    assert prepared.shape == (3, 48, 48, 1)
    assert prepared[0, 0, 0, 0] == 0
    assert prepared[0, 0, 1, 0] == 1
    np.testing.assert_allclose(prepared[..., 0] * 255, images, rtol=1e-6)


def test_network_input_of_another_size_is_a_mistake():
    with pytest.raises(ValueError, match="48"):
        to_network_input(np.zeros((2, 64, 64), np.uint8))
