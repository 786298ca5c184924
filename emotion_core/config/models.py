"""The families of models, and what can be set about each."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from emotion_core.config.base import Settings

Activation = Literal["relu", "softplus", "selu", "gelu"]
Initializer = Literal["he_normal", "glorot_normal", "glorot_uniform"]


class LinearModel(Settings):
    """A linear one-vs-rest classifier on the pixels, by stochastic gradient descent (scikit-learn)."""

    family: Literal["linear"] = "linear"
    loss: Literal["hinge", "log_loss", "modified_huber"] = Field(
        "hinge", description="Loss of each one-vs-rest classifier."
    )
    penalty: Literal["l2", "l1", "elasticnet"] = Field("l2", description="Penalty on the weights.")
    alpha: float = Field(1e-4, gt=0, le=1, description="Strength of the penalty; it also sets the learning rate.")


class DenseModel(Settings):
    """Fully connected layers, each narrower than the one before, on the flattened pixels."""

    family: Literal["dense"] = "dense"
    hidden_layers: int = Field(5, ge=1, le=10, description="Number of hidden layers.")
    first_units: int = Field(500, ge=1, le=4_096, description="Units of the first hidden layer.")
    descent: int = Field(100, ge=0, le=1_000, description="How many fewer units each further layer has.")
    last_units: int | None = Field(
        None,
        ge=1,
        le=4_096,
        description="Units of the last hidden layer, such as the coursework's 350; empty: by the descent.",
    )
    activation: Activation = Field("relu", description="Activation of the hidden layers.")
    kernel_initializer: Initializer = Field("he_normal", description="Initial values of the hidden weights.")
    dropout: float = Field(0.0, ge=0, le=0.9, description="Share of units dropped after each hidden layer.")
    regularizer: Literal["none", "l1", "l2", "l1l2"] = Field("none", description="Penalty on the hidden weights.")
    regularizer_strength: float = Field(0.01, ge=0, le=1, description="Strength of the penalty; 0.01 is Keras's own.")
    batch_norm: bool = Field(False, description="Batch normalisation after each hidden layer.")
    batch_norm_momentum: float = Field(0.9, ge=0, lt=1, description="Momentum of the batch statistics.")

    @property
    def is_penalised(self) -> bool:
        """Whether the loss includes a penalty on the weights."""
        return self.regularizer != "none" and self.regularizer_strength > 0

    @property
    def hidden_units(self) -> tuple[int, ...]:
        """Units of each hidden layer, first to last."""
        units = [self.first_units - self.descent * layer for layer in range(self.hidden_layers)]
        return (*units[:-1], units[-1] if self.last_units is None else self.last_units)

    @model_validator(mode="after")
    def _every_layer_has_units(self) -> Self:
        if min(self.hidden_units) < 1:
            raise ValueError(
                f"{self.hidden_layers} hidden layers from {self.first_units} units, each {self.descent} narrower, "
                f"leave {min(self.hidden_units)} units in one of them; use fewer layers or a smaller descent"
            )
        return self


class Convolution(Settings):
    """One convolution, padded to keep its input's size."""

    filters: int = Field(64, ge=1, le=1_024, description="Number of filters.")
    kernel_size: int = Field(3, ge=1, le=15, description="Side of the square kernel in pixels.")


class ConvolutionBlock(Settings):
    """Convolutions, then pooling, batch normalisation and dropout, each optional."""

    convolutions: tuple[Convolution, ...] = Field(min_length=1, max_length=8, description="Convolutions in order.")
    pooling: Literal["none", "max", "average"] = Field("max", description="Pooling over 2x2 pixels.")
    batch_norm: Literal["none", "block", "convolution"] = Field(
        "block", description="Batch normalisation once after pooling, or between each convolution and activation."
    )
    dropout: float = Field(0.0, ge=0, le=0.9, description="Share of values dropped at the end of the block.")


class CnnModel(Settings):
    """Blocks of convolutions, then dense layers."""

    family: Literal["cnn"] = "cnn"
    blocks: tuple[ConvolutionBlock, ...] = Field(min_length=1, max_length=5, description="Blocks in order.")
    head: Literal["flatten", "average"] = Field(
        "flatten", description="How the last maps reach the dense layers: every value, or each map's average."
    )
    dense_units: tuple[Annotated[int, Field(ge=1, le=4_096)], ...] = Field(
        (500, 400, 300), max_length=8, description="Units of each dense layer."
    )
    activation: Activation = Field("softplus", description="Activation of the convolutions.")
    dense_activation: Activation = Field("relu", description="Activation of the dense layers.")
    kernel_initializer: Initializer = Field("he_normal", description="Initial values of the hidden weights.")
    output_initializer: Initializer = Field("glorot_normal", description="Initial values of the output's weights.")


class DenseLayer(Settings):
    """One fully connected layer, with optional batch normalisation."""

    units: int = Field(128, ge=1, le=4_096, description="Number of units.")
    batch_norm: bool = Field(False, description="Batch normalisation after the layer.")


class GruModel(Settings):
    """Gated recurrent units that read a face as 48 rows of 48 pixels, attention over the rows, then dense layers."""

    family: Literal["gru"] = "gru"
    gru_units: tuple[Annotated[int, Field(ge=1, le=1_024)], ...] = Field(
        (32, 128), min_length=1, max_length=4, description="Units of each recurrent layer."
    )
    activation: Activation = Field("selu", description="Activation of the recurrent layers.")
    kernel_initializer: Initializer = Field("he_normal", description="Initial values of the hidden weights.")
    batch_norm: bool = Field(True, description="Batch normalisation before attention.")
    attention_units: int = Field(160, ge=1, le=1_024, description="Units that compare each row with the last state.")
    dense_layers: tuple[DenseLayer, ...] = Field(
        (DenseLayer(units=128, batch_norm=True), DenseLayer(units=128), DenseLayer(units=160, batch_norm=True)),
        max_length=8,
        description="Dense layers in order.",
    )
    dense_activation: Activation = Field("relu", description="Activation of the dense layers.")


class ResidualStage(Settings):
    """Residual blocks of one width; the first block halves the sides of its input."""

    filters: int = Field(64, ge=1, le=1_024, description="Number of filters of each convolution.")
    blocks: int = Field(1, ge=1, le=16, description="Number of blocks, each of two convolutions and a shortcut.")


class ResidualModel(Settings):
    """A residual network of plain 3x3 convolutions (He et al. 2016): each block learns what to add to its input."""

    family: Literal["residual"] = "residual"
    stem_filters: int = Field(32, ge=1, le=1_024, description="Filters of the first convolution, at full size.")
    stages: tuple[ResidualStage, ...] = Field(
        (ResidualStage(filters=64), ResidualStage(filters=128, blocks=2), ResidualStage(filters=256, blocks=2)),
        min_length=1,
        max_length=5,
        description="Stages in order.",
    )
    standardize: bool = Field(
        True, description="First give each face mean 0 and variance 1, so that light and contrast hardly matter."
    )
    activation: Activation = Field("relu", description="Activation after each convolution.")
    dropout: float = Field(0.0, ge=0, le=0.9, description="Share of the last features dropped.")


Model = Annotated[LinearModel | DenseModel | GruModel | CnnModel | ResidualModel, Field(discriminator="family")]
