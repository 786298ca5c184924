import cv2
import numpy as np
import pytest
from scipy import ndimage, stats

from emotion_core.augment import augment, draw_changes, draw_transforms
from emotion_core.config import Augmentation
from emotion_core.presets import COURSEWORK_AUGMENTATION

EVERYTHING = COURSEWORK_AUGMENTATION.model_copy(update={"horizontal_flip": True})


@pytest.fixture(scope="module")
def smooth_face() -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(0).uniform(0, 255, (48, 48)), 2)
    return np.uint8((noise - noise.min()) / np.ptp(noise) * 255)


def warp_as_keras_does(image, angle, row_shift, column_shift, row_zoom, column_zoom, flip):
    """`ImageDataGenerator`'s own recipe in (row, column) order, by SciPy: rotation @ shift @ zoom about the centre."""
    theta = np.radians(angle)
    rotation = np.array([[np.cos(theta), -np.sin(theta), 0], [np.sin(theta), np.cos(theta), 0], [0, 0, 1]])
    shift = np.array([[1, 0, row_shift], [0, 1, column_shift], [0, 0, 1]])
    zoom = np.diag([row_zoom, column_zoom, 1])
    to_centre = np.array([[1, 0, 23.5], [0, 1, 23.5], [0, 0, 1]])
    matrix = to_centre @ rotation @ shift @ zoom @ np.linalg.inv(to_centre)
    warped = ndimage.affine_transform(image.astype(float), matrix[:2, :2], matrix[:2, 2], order=1, mode="nearest")
    return warped[:, ::-1] if flip else warped


@pytest.mark.parametrize(
    "settings",
    [
        Augmentation(rotation=30),
        Augmentation(width_shift=0.1),
        Augmentation(height_shift=0.1),
        Augmentation(zoom=0.1),
        Augmentation(horizontal_flip=True),
        EVERYTHING,
    ],
    ids=["rotation", "width", "height", "zoom", "flip", "everything"],
)
def test_warp_is_that_of_the_coursework_generator(smooth_face, settings):
    images = np.repeat(smooth_face[None], 40, axis=0)
    draws = draw_transforms(settings, 40, np.random.default_rng(1))
    changed = augment(images, settings, np.random.default_rng(1))
    expected = [
        warp_as_keras_does(smooth_face, *draw)
        for draw in zip(
            draws.angles,
            draws.row_shifts,
            draws.column_shifts,
            draws.row_zooms,
            draws.column_zooms,
            draws.flips,
            strict=True,
        )
    ]
    assert np.abs(changed - np.stack(expected)).max() < 3  # OpenCV interpolates in 1/32 of a pixel


@pytest.mark.parametrize(
    ("field", "centre", "extent"),
    [
        ("angles", 0, 30),
        ("row_shifts", 0, 4.8),
        ("column_shifts", 0, 4.8),
        ("row_zooms", 1, 0.1),
        ("column_zooms", 1, 0.1),
    ],
)
def test_draws_are_uniform_over_the_whole_range(field, centre, extent):
    draws = getattr(draw_transforms(EVERYTHING, 20_000, np.random.default_rng(2)), field)
    assert abs(draws - centre).max() <= extent
    assert np.quantile(draws, [0, 0.25, 0.5, 0.75, 1]) == pytest.approx(
        centre + extent * np.array([-1, -0.5, 0, 0.5, 1]), abs=0.03 * extent
    )


def test_half_of_the_images_are_mirrored():
    flips = draw_transforms(EVERYTHING, 10_000, np.random.default_rng(3)).flips
    assert flips.mean() == pytest.approx(0.5, abs=0.02)


def test_nothing_enabled_changes_nothing(smooth_face):
    images = np.repeat(smooth_face[None], 3, axis=0)
    assert not Augmentation().enabled
    np.testing.assert_array_equal(augment(images, Augmentation(), np.random.default_rng(0)), images)


def test_same_generator_state_gives_the_same_images_and_the_originals_stay(smooth_face):
    images = np.repeat(smooth_face[None], 5, axis=0)
    first = augment(images, EVERYTHING, np.random.default_rng([42, 1, 7]))
    again = augment(images, EVERYTHING, np.random.default_rng([42, 1, 7]))
    other = augment(images, EVERYTHING, np.random.default_rng([42, 1, 8]))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
    np.testing.assert_array_equal(images, np.repeat(smooth_face[None], 5, axis=0))


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("theta", "angles"),
        ("tx", "row_shifts"),
        ("ty", "column_shifts"),
        ("zx", "row_zooms"),
        ("zy", "column_zooms"),
    ],
)
def test_draws_have_the_distribution_of_the_coursework_generator(theirs, ours):
    """Two-sample Kolmogorov-Smirnov: equal distributions differ by more than this once in a thousand times."""
    from tensorflow.keras.preprocessing.image import ImageDataGenerator

    generator = ImageDataGenerator(rotation_range=30, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1)
    np.random.seed(7)  # the generator draws from NumPy's global state
    expected = [generator.get_random_transform((48, 48, 1))[theirs] for _ in range(5_000)]
    drawn = getattr(draw_transforms(COURSEWORK_AUGMENTATION, 5_000, np.random.default_rng(6)), ours)
    assert stats.ks_2samp(drawn, expected).pvalue > 0.001


@pytest.mark.tensorflow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_images_have_the_mean_and_spread_of_the_coursework_generator(smooth_face):
    from tensorflow.keras.preprocessing.image import ImageDataGenerator

    images = np.repeat(smooth_face[None], 3_000, axis=0)
    generator = ImageDataGenerator(rotation_range=30, width_shift_range=0.1, height_shift_range=0.1, zoom_range=0.1)
    theirs = next(generator.flow(images[..., None].astype("float32"), batch_size=3_000, seed=1))[..., 0]
    ours = augment(images, COURSEWORK_AUGMENTATION, np.random.default_rng(4)).astype("float32")
    assert np.abs(ours.mean(axis=0) - theirs.mean(axis=0)).max() < 5
    assert np.abs(ours.std(axis=0) - theirs.std(axis=0)).max() < 5


# --- beyond the coursework's generator ----------------------------------------------------------------------------


@pytest.fixture
def faces(smooth_face) -> np.ndarray:
    return np.repeat(smooth_face[None], 400, axis=0)


def test_light_is_a_factor_of_each_image(faces):
    changed = augment(faces // 2, Augmentation(brightness=0.5), np.random.default_rng(1))
    factors = changed.mean(axis=(1, 2)) / (faces // 2).mean()
    assert np.quantile(factors, [0, 0.5, 1]) == pytest.approx([0.5, 1, 1.5], abs=0.06)
    np.testing.assert_allclose(changed, np.rint((faces // 2) * factors[:, None, None]), atol=2)


def test_light_never_goes_beyond_white(faces):
    changed = augment(faces, Augmentation(brightness=0.9), np.random.default_rng(1))
    brightest = changed[changed.mean(axis=(1, 2)).argmax()]
    assert (brightest[faces[0] > 200] == 255).all()


def test_blur_is_a_gaussian_of_up_to_its_deviation(smooth_face):
    noise = np.random.default_rng(0).integers(0, 256, (300, 48, 48), dtype=np.uint8)
    changed = augment(noise, Augmentation(blur=1.5), np.random.default_rng(1))
    most = noise[changed.std(axis=(1, 2)).argmin()]
    strongest = ndimage.gaussian_filter(most.astype(float), 1.5, mode="nearest").std()
    assert changed.std(axis=(1, 2)).min() == pytest.approx(strongest, rel=0.1)
    assert changed.std(axis=(1, 2)).max() == pytest.approx(noise.std(), rel=0.05)
    np.testing.assert_allclose(changed.mean(axis=(1, 2)), noise.mean(axis=(1, 2)), atol=3)


def test_a_rectangle_is_erased_in_half_of_the_images(faces):
    changed = augment(faces, Augmentation(erasing=0.3), np.random.default_rng(1))
    differs = changed != faces
    hit = differs.any(axis=(1, 2))
    assert hit.mean() == pytest.approx(0.5, abs=0.08)
    for image in differs[hit]:
        rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
        height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
        assert image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean() > 0.9  # noise may hit its own value
        assert 0.01 * 48**2 <= height * width <= 0.34 * 48**2  # sides are whole pixels


def test_rectangles_are_as_small_as_asked_for_also_below_the_usual_smallest():
    erasures = draw_changes(Augmentation(erasing=0.01), 2_000, np.random.default_rng(1)).erasures
    assert erasures is not None
    assert erasures.shares[erasures.chosen].mean() == pytest.approx(0.01, rel=0.05)  # sides are whole pixels


def test_erasing_leaves_the_originals(faces):
    before = faces.copy()
    augment(faces, Augmentation(erasing=0.5, blur=1, brightness=0.5), np.random.default_rng(1))
    np.testing.assert_array_equal(faces, before)


def test_compression_is_that_of_jpeg_files_of_every_quality_down_to_the_lowest(faces):
    changed = augment(faces, Augmentation(compression=0.8), np.random.default_rng(1))
    errors = np.sqrt(((changed.astype(float) - faces) ** 2).mean(axis=(1, 2)))
    expected = {}
    for quality in (20, 60, 100):
        _, file = cv2.imencode(".jpg", faces[0], [cv2.IMWRITE_JPEG_QUALITY, quality])
        expected[quality] = np.sqrt(((cv2.imdecode(file, cv2.IMREAD_GRAYSCALE).astype(float) - faces[0]) ** 2).mean())
    assert errors.max() == pytest.approx(expected[20], rel=0.1)
    assert np.median(errors) == pytest.approx(expected[60], rel=0.15)
    assert errors.min() == pytest.approx(expected[100], abs=0.3)
