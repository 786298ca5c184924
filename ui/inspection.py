"""Which faces a run takes for what: its confusion matrix, whose cells open their faces, and its surest mistakes.

The URL names the cell that is open (`?cell=Fear-Sad`) and the emotion whose mistakes are shown (`?mistakes=Fear`).
"""

from typing import TYPE_CHECKING, Final

import streamlit as st

from emotion_core.emotions import EMOTIONS
from emotion_core.errors import DamagedRun, EmotionError
from emotion_core.evaluation import RunEvaluation
from emotion_core.runs import Run, Validation
from emotion_core.settings import data_folder
from emotion_core.units import counted
from ui import cache, charts
from ui.badges import drawn_badge
from ui.choices import put_in_url
from ui.faces import JudgedFace, show_judged
from ui.widgets import columns, friendly_errors, heading, plain

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset
    from emotion_core.mistakes import Places

FACES_SHOWN: Final = 12

_MATRIX, _CELL = "matrix", "cell"

_CSS: Final = """
table { color: var(--st-text-color); font-family: var(--st-font); font-size: 1rem; }
td { cursor: default; outline-offset: -1px; }
td[data-cell] { cursor: pointer; }
td[data-cell]:hover { outline: 2px solid var(--st-gray-color); }
td:focus-visible { outline: 3px solid var(--st-primary-color); }
td[aria-selected="true"] { outline: 3px solid var(--st-text-color); }
"""

_JS: Final = """
const STEPS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }

export default function ({ data, parentElement, setTriggerValue }) {
  const place = parentElement.querySelector(".matrix")
  if (place.drawn !== data.html) {
    place.innerHTML = data.html
    place.drawn = data.html
  }
  const table = place.querySelector("table")
  const cells = [...table.querySelectorAll("td")]
  const chosen = cells.find((cell) => cell.dataset.cell && cell.dataset.cell === data.chosen)
  table.setAttribute("role", "grid")
  table.setAttribute("aria-label", "Confusion matrix")
  cells.forEach((cell) => cell.setAttribute("aria-selected", cell === chosen))

  // one cell is reached by Tab, the others from it by arrows
  const enter = (cell) => cells.forEach((other) => { other.tabIndex = other === cell ? 0 : -1 })
  enter(chosen ?? cells.find((cell) => cell.tabIndex === 0) ?? cells[0])

  const choose = (cell) => {
    if (cell?.dataset.cell) setTriggerValue("cell", cell.dataset.cell)
  }
  table.onclick = (event) => choose(event.target.closest("td"))
  table.onkeydown = (event) => {
    const cell = event.target.closest("td")
    if (!cell) return
    if (event.key === "Enter" || event.key === " ") choose(cell)
    else if (event.key in STEPS) {
      const [down, right] = STEPS[event.key]
      const next = table.rows[cell.parentElement.rowIndex + down]?.cells[cell.cellIndex + right]
      if (next?.tagName === "TD") {
        enter(next)
        next.focus()
      }
    } else return
    event.preventDefault()
  }
}
"""

_clickable_matrix = st.components.v2.component(
    "confusion_matrix", html='<div class="matrix">\n</div>', css=_CSS, js=_JS
)


@st.fragment
@friendly_errors()
def show_mistakes(run: Run, evaluation: RunEvaluation) -> None:
    """Show the confusion matrix and beside it the faces of the chosen cell, or else the surest mistakes."""
    left, right = columns([6, 5], "mistakes", narrowest=19)
    try:
        validation = run.validation()
    except DamagedRun:
        with left:
            show_matrix(evaluation, clickable=False)
        right.info(
            "This run kept no record of individual faces, so there are none to show for a cell.",
            icon=":material/info:",
        )
        return
    with left:
        cell = show_matrix(evaluation, clickable=True)
    with right:
        places = choose_cell_faces(validation, *cell) if cell else choose_mistakes(validation)
        if len(places):
            show_faces(run, validation, places)


def show_matrix(evaluation: RunEvaluation, *, clickable: bool) -> tuple[int, int] | None:
    """Show which emotions are taken for which and return the chosen cell, true before predicted, if there is one."""
    with heading("Confusion matrix", "matrix"):
        unit = st.segmented_control(
            "Unit", ["Shares", "Counts"], default="Shares", required=True, key="unit", label_visibility="collapsed"
        )
    html = charts.confusion_matrix(evaluation.confusion, as_counts=unit == "Counts")
    if not clickable:
        st.html(html)
        return None
    chosen = st.query_params.get(_CELL, "")
    _clickable_matrix(key=_MATRIX, data={"html": html, "chosen": chosen}, on_cell_change=_take_cell)
    st.caption("Each row is one true emotion. To see a cell's faces, click it, or use the arrow keys and Enter.")
    return charts.cell_of(chosen)


def _take_cell() -> None:
    """Open the cell that was clicked, or close it where it is open."""
    clicked = st.session_state[_MATRIX].cell
    put_in_url(_CELL, "" if clicked == st.query_params.get(_CELL) else clicked)


def choose_cell_faces(validation: Validation, true: int, predicted: int) -> "Places":
    """Say what a cell holds, offer the way back to all mistakes, and return its faces."""
    from emotion_core.mistakes import faces_in_cell

    words = f"{EMOTIONS[true]} found" if true == predicted else f"{EMOTIONS[true]} taken for {EMOTIONS[predicted]}"
    with heading(words, "faces"):
        st.button("All mistakes", icon=":material/close:", key="close-cell", on_click=put_in_url, args=(_CELL, ""))
    places = faces_in_cell(validation, true, predicted)
    st.caption(
        f"{counted(len(places), 'face')}, most confident first." if len(places) else "No face falls in this cell."
    )
    return places


def choose_mistakes(validation: Validation) -> "Places":
    """Let the person choose whose mistakes are shown, and return them."""
    from emotion_core.mistakes import mistakes

    heading("Most confident mistakes", "faces")
    emotion = st.pills(
        "True emotion", EMOTIONS, key="mistakes", bind="query-params", wrap=True, label_visibility="collapsed"
    )
    places = mistakes(validation, None if emotion is None else EMOTIONS.index(emotion))
    of = f" of {emotion}" if emotion else ""
    st.caption(
        f"{counted(len(places), 'face')}{of} taken for something else, most confident first."
        if len(places)
        else f"No mistake{of}."
    )
    return places


def show_faces(run: Run, validation: Validation, places: "Places") -> None:
    """Show a page of the faces at some places, or one sentence where the run's data set is not here."""
    dataset = dataset_of_run(run, validation)
    if isinstance(dataset, str):
        st.info(dataset, icon=":material/hide_image:")
        return
    if dataset.is_drawn:
        drawn_badge()
    gallery, turn = st.container(), 1
    if len(places) > FACES_SHOWN:
        # a key of its own for each choice of faces, so that each begins with its first page
        key = f"faces-{run.id}-{places[0]}-{len(places)}"
        turn = st.pagination(-(-len(places) // FACES_SHOWN), key=key)
    with gallery:
        shown = places[(turn - 1) * FACES_SHOWN : turn * FACES_SHOWN]
        show_judged([_judged(dataset, validation, place) for place in shown])


def dataset_of_run(run: Run, validation: Validation) -> "Dataset | str":
    """Return the data set that a run was judged on, or a sentence that says why its faces cannot be shown."""
    from emotion_core.origins import find_sources, holds_faces

    name = plain(run.config.data.name)
    sentence = (
        f"The faces are not on this machine. Put **{name}** into {plain(str(data_folder()))}, and they appear here."
    )
    for source in find_sources(run.config):
        try:
            dataset = cache.dataset(source, drop_incomplete=run.config.data.drop_incomplete)
        except EmotionError as error:
            sentence = plain(str(error))
            continue
        if holds_faces(dataset, run.config, validation):
            return dataset
        sentence = (
            "The drawn faces have changed since this run was trained, so they cannot be shown with it."
            if dataset.is_drawn
            else f"The **{name}** here holds different faces from this run's. Put the file it was trained on into "
            f"{plain(str(data_folder()))}, and they appear here."
        )
    return sentence


def _judged(dataset: "Dataset", validation: Validation, place: int) -> JudgedFace:
    row, shares = int(validation.rows[place]), validation.probabilities[place]
    order = (-shares).argsort(kind="stable")[:3]
    best = ", ".join(f"{EMOTIONS[label]} {shares[label]:.0%}" for label in order)
    return JudgedFace(
        image=dataset.images[row],
        true=EMOTIONS[validation.labels[place]],
        predicted=EMOTIONS[order[0]],
        confidence=float(shares[order[0]]),
        detail=f"{best} (id {dataset.ids[row]})",
    )
