"""How training images are changed."""

from pydantic import Field

from emotion_core.config.base import Settings


class Augmentation(Settings):
    """Random changes to training images, drawn afresh for each image and epoch. Validation uses the originals."""

    rotation: float = Field(0.0, ge=0, le=180, description="Largest rotation either way, in degrees.")
    width_shift: float = Field(0.0, ge=0, le=0.5, description="Largest sideways shift, as a share of the width.")
    height_shift: float = Field(0.0, ge=0, le=0.5, description="Largest up or down shift, as a share of the height.")
    zoom: float = Field(0.0, ge=0, le=0.5, description="Zoom drawn per axis from 1 - zoom to 1 + zoom.")
    brightness: float = Field(
        0.0, ge=0, le=0.9, description="Brightness factor drawn per image, from 1 - brightness to 1 + brightness."
    )
    blur: float = Field(
        0.0, ge=0, le=5, description="Largest standard deviation of a Gaussian blur, in pixels of the 48x48 image."
    )
    compression: float = Field(
        0.0,
        ge=0,
        le=0.9,
        description="Save as JPEG, which leaves blocks, with a quality drawn from 100% minus this to 100%.",
    )
    erasing: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="Cover a rectangle of up to this share of the area with noise, in half of the images "
        "(random erasing, Zhong et al. 2020).",
    )
    horizontal_flip: bool = Field(False, description="Mirror half of the images left to right.")

    @property
    def enabled(self) -> bool:
        """Whether any transform can change an image."""
        return self != Augmentation()
