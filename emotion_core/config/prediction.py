"""What is done with a model's answers."""

from pydantic import Field

from emotion_core.config.base import Settings


class Prediction(Settings):
    """What is done with a network's answers, in validation and in use."""

    flip_average: bool = Field(
        False, description="Average the predictions for a face and its mirror image; takes twice as long."
    )
    closer_average: bool = Field(
        False, description="Also average the predictions for the face 10% larger; takes twice as long again."
    )
    calibrate: bool = Field(
        False,
        description="Match confidence to accuracy, by a temperature fitted on the validation rows (Guo et al. 2017). "
        "The predicted emotion stays the same.",
    )
