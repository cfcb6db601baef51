"""Patients: looked for, taken on, changed, shown."""

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from frontdesk.api.forms.appointments import LoginName, PlaceForm
from frontdesk.api.forms.common import Day, Form, Id, Out, Text, Words

Phone = Annotated[str, StringConstraints(min_length=3, max_length=30)]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$", max_length=254)]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$", max_length=20)]


class PatientForm(Form):
    """Somebody new. Whoever is taken on with data missing is a placeholder that staff complete."""

    name: Words
    birth_date: Day | None = None
    phone: Phone | None = None
    email: Email | None = None
    language: Language | None = None
    is_placeholder: bool = False
    booked_by: Annotated[Id | None, Field(description="The patient who books for them.")] = None
    relation: Annotated[
        Literal["child", "parent", "partner", "other"] | None, Field(description="What they are to who books.")
    ] = None
    actor: LoginName | None = None


class PatientChangeForm(Form):
    """What is to be different. Whatever is left out or null stays. `phones` and `emails` are all there are afterwards."""

    name: Words | None = None
    birth_date: Day | None = None
    language: Language | None = None
    is_placeholder: bool | None = None
    address: Text | None = None
    place: PlaceForm | None = None
    phones: Annotated[list[Phone], Field(max_length=10)] | None = None
    emails: Annotated[list[Email], Field(max_length=10)] | None = None
    actor: LoginName | None = None


class PatientSearchForm(Form):
    """Whom to look for: everybody who has all that is named. Asked in the body, since an address ends in logs."""

    model_config = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": [name], "properties": {name: {"type": "string"}}} for name in ("phone", "birth_date")
            ]
        }
    )

    phone: Phone | None = None
    birth_date: Day | None = None

    @model_validator(mode="after")
    def _something(self) -> "PatientSearchForm":
        if self.phone is None and self.birth_date is None:
            raise PydanticCustomError("nothing-to-find", "Name a phone or a birth_date")
        return self


class PatientOut(Out):
    id: str
    name: str
    birth_date: date | None
    language: str | None
    phones: list[str]
    emails: list[str]
    blocked: bool
    is_placeholder: bool
    replaced_by: str | None  # this record was found to be another one's: the id of the one that is kept


class PatientsOut(Out):
    patients: list[PatientOut]
