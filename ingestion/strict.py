"""What every part of a source spec is made of: strict, frozen models and the few kinds of name."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# One underscore at most between words: source and table are joined by two.
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=40)]
Share = Annotated[float, Field(ge=0, le=1)]


class Strict(BaseModel):
    """Unknown keys are errors and values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
