"""A map of the faces of a data set: a point per face in its emotion's colour, which shows the face when pointed at.

The URL names what the map is made from (`?map=Network`) and the row of the face that was picked (`?mapped=12`), so that
the same face is found on both maps.
"""

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from emotion_core.config import FirstRows
from emotion_core.emotions import EMOTIONS
from emotion_core.errors import EmotionError, ModelUnavailable
from emotion_core.face_map import MOST_FACES, NEIGHBOURS, FaceMap, agreement_by_chance
from emotion_core.runs import Run
from ui import cache, presenter
from ui.charts import ACCENT, CALM, EMOTION_SCALE, INK, dotted
from ui.choices import put_in_url
from ui.face_images import data_url, photo_url, show_faces
from ui.faces import emotion_bars
from ui.widgets import columns, friendly_errors, heading, plain

if TYPE_CHECKING:
    import pandas as pd

    from emotion_core.dataset import Dataset

PIXELS: Final = "Pixels"
NETWORK: Final = "Network"

PICKED: Final = "picked"
"""The chart's selection that a click changes."""

CLEAR: Final = 0.05
"""So far above chance, the share of neighbours of the same emotion says something."""

_MAPPED: Final = "mapped"

_JPEG_QUALITY: Final = 80
"""Of the faces that the mouse finds: 1.3 kB each, and still sharp at four times their size."""

_LAYING_OUT: Final = 0.7
"""Share of the progress bar at which a network has seen all faces."""

_HOW_IT_IS_MADE: Final = (
    f"Up to {MOST_FACES:,} validation faces, as equally spread over the emotions as possible. t-SNE lays them out so "
    "that neighbours stay neighbours: by their pixels, or by the network's features just before its last layer. The "
    "axes, and distances between far points, mean nothing."
)


@dataclass(frozen=True, eq=False)
class Drawn:
    """A map, and its points as the chart takes them: see `map_points`."""

    faces: FaceMap
    points: "pd.DataFrame"


# --- the page ------------------------------------------------------------------------------------------------------


@st.fragment
@friendly_errors()
def show_face_map(dataset: "Dataset") -> None:
    """Show the map that the person chooses, and beside it the face that was picked, with its neighbours."""
    run = _best_network()
    with heading("A map of the faces", "map", _HOW_IT_IS_MADE):
        kind = st.segmented_control(
            "Made from",
            [PIXELS, NETWORK] if run else [PIXELS],
            default=PIXELS,
            required=True,
            key="map",
            label_visibility="collapsed",
            bind="query-params",
        )
    try:
        drawn = _drawn(dataset, kind, run)
    except EmotionError as error:  # the rest of the page needs no map
        st.info(plain(str(error)), icon=":material/info:")
        return
    left, right = columns([5, 2], "map", narrowest=12)
    with left:
        place = _show_map(drawn, f"face-map-{kind}-{dataset.fingerprint}", dataset.labels is not None)
        _say_what_to_look_for(dataset, drawn.faces, kind, run)
    with right:
        if place is None:
            st.caption(
                "Point at a dot to see its face. Click it to keep it here, with its neighbours. Ctrl and the wheel "
                "zoom, dragging moves, a double click shows all."
            )
        else:
            show_picked(dataset, drawn.faces, place, run)


def _best_network() -> Run | None:
    """Return the run that classifies where nobody chose one, if it is a network."""
    from emotion_core.classifier import best_run

    try:
        run = best_run(cache.runs())
    except ModelUnavailable:
        return None
    return run if run.onnx_path.exists() else None


def _say_what_to_look_for(dataset: "Dataset", faces: FaceMap, kind: str, run: Run | None) -> None:
    alike = (
        f"the best network here, {plain(run.name)}, finds similar" if run and kind == NETWORK else "have similar pixels"
    )
    found = "" if dataset.labels is None else lesson(faces, dataset.labels[faces.rows])
    st.markdown(f"Faces that {alike} are close together. {found}")
    if run is None:
        st.caption("Once the best trained model is a network, its own map of the faces can be chosen here.")


def _drawn(dataset: "Dataset", kind: str, run: Run | None) -> Drawn:
    """Return a map, drawn once; raises EmotionError."""
    time = run.onnx_path.stat().st_mtime if run else 0.0
    return _draw(dataset.fingerprint, kind, str(run.folder) if run else "", time, dataset, run)


@st.cache_resource(max_entries=6, show_spinner=False)
def _draw(fingerprint: str, kind: str, folder: str, mtime: float, _dataset: "Dataset", _run: Run | None) -> Drawn:
    from emotion_core.face_map import FeatureReader, draw_map, pixels_of, rows_to_map

    split, seed = (_run.config.data.split, _run.config.training.seed) if _run else (FirstRows(), 0)
    rows = rows_to_map(_dataset, split, seed)
    images = _dataset.images[rows]
    reader = FeatureReader(_run.onnx_path) if _run and kind == NETWORK else None
    bar = st.progress(0.0, "Looking at the faces...")

    def tell(done: int, total: int) -> None:
        bar.progress(_LAYING_OUT * done / total, f"{done:,} of {total:,} faces seen by the network")

    features = reader.features(images, tell) if reader else pixels_of(images)
    bar.progress(_LAYING_OUT, f"Laying out {len(rows):,} faces...")
    faces = draw_map(rows, features)
    bar.empty()
    return Drawn(faces, map_points(_dataset, faces))


# --- the map -------------------------------------------------------------------------------------------------------


def _show_map(drawn: Drawn, key: str, is_labelled: bool) -> int | None:
    """Show a map and return the place on it of the face that was picked last, on this map or another."""
    picked = _picked_row(drawn.faces)
    if st.session_state.get("face-map-shown") != key:
        # Only a map that is drawn anew is told which face is picked: telling it again would undo its zoom.
        st.session_state.update({"face-map-shown": key, "face-map-start": picked})
    # The tooltip's face would otherwise have the size of its pixels.
    st.html("<style>#vg-tooltip-element img {width: 192px; height: 192px; image-rendering: pixelated}</style>")
    state = st.vega_lite_chart(
        drawn.points,
        presenter.enlarged(map_chart(is_labelled, st.session_state["face-map-start"]) | {"config": CALM}),
        theme=None,
        key=key,
        on_select="rerun",
        selection_mode=PICKED,
        alt=f"Map of {len(drawn.points):,} faces: each is a point in the colour of its emotion, near similar faces.",
    )
    clicked = state.selection.get(PICKED)
    if clicked and int(clicked[0]["row"]) in drawn.faces.rows:  # a click on an earlier map may name another face
        picked = int(clicked[0]["row"])
        put_in_url(_MAPPED, str(picked))
    return None if picked is None else int(np.searchsorted(drawn.faces.rows, picked))


def _picked_row(faces: FaceMap) -> int | None:
    """Return the row that the URL names, if it is on the map."""
    asked = st.query_params.get(_MAPPED, "")
    return int(asked) if asked.isdecimal() and len(asked) < 10 and int(asked) in faces.rows else None


def map_points(dataset: "Dataset", faces: FaceMap) -> "pd.DataFrame":
    """Return a line per face of a map: x, y, row, face (its id), image (a data URL), and emotion where labelled."""
    import pandas as pd

    points = pd.DataFrame(
        {
            "x": faces.points[:, 0],
            "y": faces.points[:, 1],
            "row": faces.rows,
            "face": [f"id {number}" for number in dataset.ids[faces.rows]],
            "image": [photo_url(dataset.images[row], _JPEG_QUALITY) for row in faces.rows],
        }
    )
    return points if dataset.labels is None else points.assign(emotion=np.array(EMOTIONS)[dataset.labels[faces.rows]])


def map_chart(is_labelled: bool, picked: int | None = None) -> dict[str, Any]:
    """Describe the map of `map_points` for Vega-Lite: a click changes its selection PICKED, Ctrl and the wheel zoom.

    Names of the legend that are clicked are shown, without the others.

    Args:
        is_labelled: Whether the points have emotions.
        picked: Row of the face that is picked to begin with.
    """
    axis = {"type": "quantitative", "axis": None, "scale": {"domain": [-1.03, 1.03], "nice": False}}
    title = [{"field": "emotion", "title": "title"}] if is_labelled else []  # how a tooltip has a heading
    is_picked, is_pointed_at = ({"param": name, "empty": False} for name in (PICKED, "pointed"))
    chart = {
        "height": 640,
        "params": [
            {"name": PICKED, "select": {"type": "point", "on": "click", "fields": ["row"], "toggle": False}}
            | ({} if picked is None else {"value": [{"row": picked}]}),
            {
                "name": "pointed",
                "select": {"type": "point", "on": "pointerover", "clear": "pointerout", "fields": ["row"]},
            },
            # The wheel alone scrolls the page, in which the map takes much of the room.
            {
                "name": "zoom",
                "select": {"type": "interval", "zoom": "wheel![event.ctrlKey || event.metaKey]"},
                "bind": "scales",
            },
        ],
        "mark": {"type": "point", "filled": True, "cursor": "pointer", "clip": True},
        "encoding": {
            "x": axis | {"field": "x"},
            "y": axis | {"field": "y"},
            "color": {"value": ACCENT},
            "opacity": {"condition": [is_picked | {"value": 1}, is_pointed_at | {"value": 1}], "value": 0.8},
            "size": {"condition": [is_picked | {"value": 420}, is_pointed_at | {"value": 260}], "value": 75},
            "stroke": {"condition": is_picked | {"value": INK}, "value": None},
            "strokeWidth": {"condition": is_picked | {"value": 3}, "value": 0},
            "tooltip": [{"field": "image"}, *title, {"field": "face", "title": "Face"}],
        },
    }
    return _with_legend(chart) if is_labelled else chart


def _with_legend(chart: dict[str, Any]) -> dict[str, Any]:
    emotions = {"type": "point", "fields": ["emotion"], "toggle": "true"}
    shown = {"name": "shown", "select": emotions, "bind": "legend"}
    colour = {
        "field": "emotion",
        "type": "nominal",
        "scale": EMOTION_SCALE,
        "legend": {
            "orient": "top",
            "title": None,
            "labelFontSize": 16,
            "symbolSize": 180,
            "symbolOpacity": 1,
            "columnPadding": 18,
            "columns": {"expr": f"width < {presenter.pixels(640)} ? 4 : 7"},  # or the last would be cut
        },
    }
    return chart | {
        "params": [*chart["params"], shown],
        "transform": [{"filter": {"param": "shown"}}],
        "encoding": chart["encoding"] | {"color": colour},
    }


def lesson(faces: FaceMap, labels: NDArray[np.uint8]) -> str:
    """Say how far emotions keep together on a map.

    Args:
        faces: The map.
        labels: uint8 (n,), those of its faces.
    """
    shares, chance = faces.agreement(labels), agreement_by_chance(labels)
    by_emotion = {EMOTIONS[label]: float(shares[labels == label].mean()) for label in np.unique(labels)}
    most, least = max(by_emotion, key=by_emotion.__getitem__), min(by_emotion, key=by_emotion.__getitem__)
    verdict = (
        f"{most} clusters best ({by_emotion[most]:.0%}), {least} least ({by_emotion[least]:.0%})."
        if shares.mean() > chance + CLEAR
        else "Emotions hardly cluster."
    )
    return (
        f"Of a face's {NEIGHBOURS} nearest, **{shares.mean():.0%}** share its emotion; chance alone would give "
        f"{chance:.0%}. {verdict}"
    )


# --- the picked face -----------------------------------------------------------------------------------------------


def show_picked(dataset: "Dataset", faces: FaceMap, place: int, run: Run | None) -> None:
    """Show the face at a place of a map, what the network says of it, and its neighbours on the map."""
    row, near = int(faces.rows[place]), faces.rows[faces.neighbours[place]]
    label = None if dataset.labels is None else int(dataset.labels[row])
    name = "A face without a label" if label is None else dotted(EMOTIONS[label], 650)
    st.html(
        f'<img alt="The face that was picked" src="{data_url(dataset.images[row])}" style="width:100%;max-width:230px;'
        'display:block;image-rendering:pixelated;border-radius:6px"><div style="margin-top:.5rem;font-size:1.2rem">'
        f'{name} <span style="opacity:.65;font-size:.95rem">id {escape(str(dataset.ids[row]))}</span></div>'
    )
    if run is not None:
        _show_what_is_said(dataset.images[row], run)
    _show_neighbours(dataset, near, label)


def _show_what_is_said(image: NDArray[np.uint8], run: Run) -> None:
    try:
        probabilities = cache.classifier(run.id).probabilities(image[np.newaxis])[0].tolist()
    except EmotionError:  # the map of pixels needs no model
        return
    st.markdown("The network says")
    st.html(emotion_bars(probabilities, [f"{share:.0%}" for share in probabilities]))


def _show_neighbours(dataset: "Dataset", near: NDArray[np.int64], label: int | None) -> None:
    if dataset.labels is None or label is None:
        st.markdown("Its neighbours here")
        show_faces(dataset.images[near], columns=5)
        return
    same = int((dataset.labels[near] == label).sum())
    st.markdown(f"Its neighbours here: **{same} of {len(near)}** share its emotion")
    show_faces(dataset.images[near], [EMOTIONS[other] for other in dataset.labels[near]], columns=5)
