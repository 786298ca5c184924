"""A form made from the configuration's own fields: labels, help, bounds and choices come from `emotion_core.config`.

    form = ConfigForm(preset.config, key="dense-5")
    form.ask("training.epochs", "training.seed")     # these two, side by side
    form.ask_rest("training")                        # the other settings of the group
    config = form.validated()                        # raises BadInput where something is wrong

Each field is a widget whose key is the form's key and the field's path: `dense-5.training.epochs`. What a person typed
outlives a change of page. Another key is another form.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import streamlit as st

from emotion_core.config import RunConfig, Settings, parse_config
from emotion_core.presets import PRESETS
from ui.fields import (
    Field,
    Kind,
    as_notation,
    fields_of,
    from_notation,
    label_of,
    notation_example,
    step_of,
)

COLUMNS = 3
T = TypeVar("T")
WIDE = (Kind.GROUP, Kind.VARIANT, Kind.LIST, Kind.NAMES)
"""Kinds of fields that take the whole width of a form."""


class ConfigForm:
    """Asks for a configuration, field by field, wherever the page places the fields."""

    def __init__(self, start: RunConfig, key: str) -> None:
        self._document = start.model_dump()
        self.key = key
        self._asked: set[str] = set()
        self._marks: dict[str, Mapping[Any, str]] = {}

    def mark(self, path: str, marks: Mapping[Any, str]) -> None:
        """Say something about some choices of a field, in brackets behind each; call it before the field is asked.

        A list of names offers those that are marked, and shows what is said of each instead of the name.
        """
        self._marks[path] = marks

    def overwrite(self, path: str, settings: Settings) -> None:
        """Put settings into a group's fields, over what was typed there; call it before they are asked."""
        for name, value in settings.model_dump().items():
            st.session_state[f"{self.key}.{path}.{name}"] = value

    def fill(self, path: str, value: Any) -> None:
        """Set a value that the page asks for by other means."""
        self._place(path)[path.rpartition(".")[2]] = value
        self._asked.add(path)

    def leave_out(self, path: str) -> None:
        """Give a field its default and do not ask for it: here it has no choice."""
        settings = _group_of(path)
        self.fill(path, settings.model_fields[path.rpartition(".")[2]].default)

    def current(self, path: str) -> Any:
        """Return what a field holds, wherever on the page it is asked."""
        return st.session_state.get(f"{self.key}.{path}", self._place(path)[path.rpartition(".")[2]])

    def ask(self, *paths: str, columns: int | None = None) -> None:
        """Ask for some fields, side by side."""
        with st.grid(columns or len(paths), vertical_alignment="bottom"):
            for path in paths:
                self._ask(path)

    def ask_rest(self, path: str, without: Collection[str] = ()) -> None:
        """Ask for the fields of a group that were not asked yet, short ones first and nested ones below them."""
        fields = _field_at(path).type.model_fields
        left = [f"{path}.{name}" for name in fields if f"{path}.{name}" not in {*self._asked, *without}]
        short, nested = _by_size(left, lambda place: _field_at(place).kind)
        if short:
            self.ask(*short, columns=COLUMNS)
        for place in nested:
            self._ask(place)

    def validated(self) -> RunConfig:
        """Return what was asked, over the start values of what was not; raises BadInput (see `fields.explain`)."""
        return parse_config(self._document)

    def marked(self, path: str, field: Field) -> Field:
        """Return a field with what was said about its choices."""
        return replace(field, marks=self._marks.get(path, {}))

    def _ask(self, path: str) -> None:
        name, place = path.rpartition(".")[2], self._place(path)
        place[name] = _ask(self.marked(path, _field_at(path)), place[name], f"{self.key}.{path}")
        self._asked.add(path)

    def _place(self, path: str) -> dict[str, Any]:
        """Return the part of the document that holds a field."""
        document = self._document
        for parent in path.split(".")[:-1]:
            document = document[parent]
        return document


def _field_at(path: str) -> Field:
    return fields_of(_group_of(path))[path.rpartition(".")[2]]


def _group_of(path: str) -> type[Settings]:
    group: Any = RunConfig
    for parent in path.split(".")[:-1]:
        group = fields_of(group)[parent].type
    return group


def _ask(field: Field, start: Any, key: str, *, labelled: bool = True) -> Any:
    """Show a field's widget and return its part of the document; `start` is what it shows at first."""
    match field.kind:
        case Kind.VARIANT:
            return _ask_variant(field, start, key)
        case Kind.GROUP:
            return _ask_group(field.type, start, key)
        case Kind.LIST:
            return _ask_list(field, start, key)
        case Kind.NOTATION:
            return _ask_notation(field, start, key, labelled)
        case Kind.NAMES:
            return _ask_names(field, start, key, labelled)
    st.session_state.setdefault(key, start)
    common = _common(field, key, labelled)
    match field.kind:
        case Kind.CHOICE:
            return st.selectbox(options=field.choices, format_func=field.say, **common)
        case Kind.SWITCH:
            return st.toggle(**common)
        case Kind.TEXT:
            return st.text_input(max_chars=field.max_length, **common)
        case _:
            return _ask_number(field, start, common)


def _common(field: Field, key: str, labelled: bool) -> dict[str, Any]:
    return {
        "label": field.label,
        "key": key,
        "help": field.help or None,
        "label_visibility": "visible" if labelled else "collapsed",
        "persist_state": "session",
    }


def _ask_number(field: Field, start: float | None, common: dict[str, Any]) -> float | None:
    number = int if field.kind is Kind.WHOLE else float
    return st.number_input(
        value=None if field.optional else "min",  # what an erased field falls back to; it starts as the session says
        min_value=None if field.lower is None else number(field.lower),
        max_value=None if field.upper is None else number(field.upper),
        step=number(step_of(field, start)),
        format="%d" if number is int else "%g",
        placeholder="empty" if field.optional else None,
        **common,
    )


def _ask_notation(field: Field, start: Any, key: str, labelled: bool) -> Any:
    st.session_state.setdefault(key, as_notation(start))
    common = _common(field, key, labelled) | {"help": f"{field.help} {notation_example(field)}"}
    return from_notation(st.text_input(**common), field.type)


def _ask_names(field: Field, start: Sequence[str], key: str, labelled: bool) -> list[str]:
    """Ask for names among those that are marked and those that the field begins with."""
    chosen = st.session_state.setdefault(key, list(start))
    return st.multiselect(
        options=list(dict.fromkeys([*field.marks, *start, *chosen])),
        format_func=lambda name: field.marks.get(name, name),
        max_selections=field.max_length,
        placeholder="None",
        select_all=False,
        **_common(field, key, labelled),
    )


def _ask_group(settings: type[Settings], start: dict[str, Any], key: str) -> dict[str, Any]:
    document = dict(start)
    short, nested = _by_size(fields_of(settings).values(), lambda field: field.kind)
    with st.grid(COLUMNS, vertical_alignment="bottom"):
        for field in short:
            document[field.name] = _ask(field, start[field.name], f"{key}.{field.name}")
    for field in nested:
        document[field.name] = _ask(field, start[field.name], f"{key}.{field.name}")
    return document


def _by_size(items: Iterable[T], kind_of: Callable[[T], Kind]) -> tuple[list[T], list[T]]:
    """Part what fits into a cell, switches last, from what takes the whole width."""
    short = [item for item in items if kind_of(item) not in WIDE]
    return sorted(short, key=lambda item: kind_of(item) is Kind.SWITCH), [item for item in items if item not in short]


def _ask_variant(field: Field, start: dict[str, Any], key: str) -> dict[str, Any]:
    """Ask which group, then for its fields; a group other than the one at the start begins with its own values."""
    place = f"{key}.{field.discriminator}"
    st.session_state.setdefault(place, start[field.discriminator])
    label = field.label if field.discriminator == "kind" else label_of(field.discriminator)
    names = list(field.variants)
    with st.grid(COLUMNS):
        name = st.selectbox(label, names, format_func=label_of, key=place, help=field.help, persist_state="session")
    variant = field.variants[name]
    st.caption((variant.__doc__ or "").partition("\n\n")[0])
    same = name == start[field.discriminator]
    return _ask_group(variant, start if same else _start_of(variant), f"{key}.{name}")


def _start_of(variant: type[Settings]) -> dict[str, Any]:
    """Return a group's first values: those of the first preset that has it, else its defaults."""
    for preset in PRESETS.values():
        if type(preset.config.model) is variant:
            return preset.config.model.model_dump()
    return variant().model_dump()


def _ask_list(field: Field, start: Any, key: str) -> list[dict[str, Any]]:
    """Ask for a list of groups, one a row; rows can be added and removed."""
    rows = st.session_state.setdefault(f"{key}.rows", list(range(len(start))))
    singular = field.label.lower().removesuffix("s")
    starts = start or [field.type().model_dump()]  # only a list that may be empty is, and its groups have defaults
    document = []
    st.markdown(f":small[{field.label}]", help=field.help)
    for place, row in enumerate(rows):
        with st.container(horizontal=True, vertical_alignment="bottom"):
            document.append(_ask_row(field.type, starts[min(row, len(starts) - 1)], f"{key}.{row}", labelled=not place))
            st.button(
                "",
                icon=":material/close:",
                key=f"{key}.{row}.remove",
                help=f"Remove {singular} {place + 1}",
                disabled=len(rows) <= field.min_length,
                on_click=_remove,
                args=(rows, row),
                type="tertiary",
            )
    st.button(
        f"Add {singular}",
        icon=":material/add:",
        key=f"{key}.add",
        disabled=len(rows) == field.max_length,
        on_click=_add,
        args=(rows, max(rows, default=-1) + 1),
    )
    return document


def _add(rows: list[int], row: int) -> None:
    """Put a row in; a second click on the button finds it there."""
    if row not in rows:
        rows.append(row)


def _remove(rows: list[int], row: int) -> None:
    """Take a row out; a second click on its button finds it gone."""
    if row in rows:
        rows.remove(row)


def _ask_row(settings: type[Settings], start: dict[str, Any], key: str, *, labelled: bool) -> dict[str, Any]:
    fields = fields_of(settings).values()
    columns = st.columns([2 if field.kind is Kind.NOTATION else 1 for field in fields], vertical_alignment="bottom")
    document = {}
    for field, column in zip(fields, columns, strict=True):
        with column:
            named = labelled or field.kind is Kind.SWITCH  # which says nothing without its name
            document[field.name] = _ask(field, start[field.name], f"{key}.{field.name}", labelled=named)
    return document
