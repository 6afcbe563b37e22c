"""What Venice answers to an operator's questions: the fields that are used, read by pydantic."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError

from sanctum_venice_tools.letta.reading import first_fault

# Where null stands for what is not there.
Words = Annotated[str, BeforeValidator(lambda value: value or "")]
Count = Annotated[int, BeforeValidator(lambda value: value or 0)]
Switch = Annotated[bool, BeforeValidator(bool)]


class Capabilities(BaseModel):
    """What a text model can do."""

    supportsFunctionCalling: Switch = False  # noqa: N815  # Venice's name
    supportsWebSearch: Switch = False  # noqa: N815  # likewise
    supportsVision: Switch = False  # noqa: N815  # likewise
    supportsVideoInput: Switch = False  # noqa: N815  # likewise


class Deprecation(BaseModel):
    """That a model is about to go."""

    date: Words = ""
    removesAt: Words = ""  # noqa: N815  # Venice's name
    replacementModelId: Words = ""  # noqa: N815  # likewise


class Spec(BaseModel):
    """What Venice says of a model."""

    offline: Switch = False
    beta: Switch = False
    betaModel: Switch = False  # noqa: N815  # Venice's name
    traits: list[str] | None = None
    capabilities: Capabilities | None = None
    deprecation: Deprecation | None = None
    availableContextTokens: Count = 0  # noqa: N815  # likewise
    maxCompletionTokens: Count = 0  # noqa: N815  # likewise
    embeddingDimensions: Count = 0  # noqa: N815  # likewise


class ListedModel(BaseModel):
    """A model in GET /models."""

    id: str
    type: str = "text"
    context_length: Count = 0
    model_spec: Spec = Spec()


class Account(BaseModel):
    """What GET /api_keys/rate_limits tells of a key's account."""

    accessPermitted: bool | None = None  # noqa: N815  # Venice's name
    keyExpiration: Words = ""  # noqa: N815  # likewise
    balances: dict[str, float | None] | None = None


class Balance(BaseModel):
    """What GET /billing/balance tells."""

    balances: dict[str, float | None] = {}


class FormError(ValueError):
    """A reply is not of the form; the message names the first field that is not."""


def read(form: Any, reply: Any, *, where: str) -> Any:
    """A reply in its form.

    Args:
        form: A type that pydantic knows.
        reply: JSON, or a part of it.
        where: What that part is called.

    Raises:
        FormError: It is of another form.
    """
    try:
        return TypeAdapter(form).validate_python(reply)
    except ValidationError as error:
        raise FormError(first_fault(error, where)) from None
