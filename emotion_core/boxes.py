"""Rectangles in pictures, in pixels."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the picture; x and y are those of its upper left corner."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """Number of pixels inside."""
        return self.width * self.height

    @property
    def middle(self) -> tuple[float, float]:
        """The point in the middle, (x, y)."""
        return self.x + self.width / 2, self.y + self.height / 2

    def holds(self, x: float, y: float) -> bool:
        """Whether a point is inside."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height

    def mirrored(self, picture_width: int) -> "Box":
        """Return where the box is once the picture is mirrored left to right."""
        return Box(picture_width - self.x - self.width, self.y, self.width, self.height)

    def overlap(self, other: "Box") -> float:
        """Return the area that both cover relative to that which either covers, 0-1 (the Jaccard index)."""
        width = min(self.x + self.width, other.x + other.width) - max(self.x, other.x)
        height = min(self.y + self.height, other.y + other.height) - max(self.y, other.y)
        shared = max(0, width) * max(0, height)
        return shared / (self.area + other.area - shared) if shared else 0.0


@dataclass(frozen=True)
class CropRule:
    """How the square that a network sees lies around a detector's box, so that it is cut as the training faces were.

    Attributes:
        scale: Side of the square relative to the longer side of the box.
        down: How far its middle lies below that of the box, relative to the height of the box.
    """

    scale: float = 1.0
    down: float = 0.0


WHOLE_BOX: Final = CropRule()


def square_crop(box: Box, shape: tuple[int, ...], rule: CropRule = WHOLE_BOX) -> Box:
    """Return the square of a box, moved and shrunk as needed to lie inside the picture.

    Args:
        box: As detected; may hang over the border.
        shape: (height, width) of the picture.
        rule: The detector's own.
    """
    height, width = shape[:2]
    side = max(1, min(round(max(box.width, box.height) * rule.scale), height, width))
    middle_x, middle_y = box.middle
    x = round(middle_x - side / 2)
    y = round(middle_y + rule.down * box.height - side / 2)
    return Box(min(max(x, 0), width - side), min(max(y, 0), height - side), side, side)
