"""Explore: how even a data set is, what its faces look like, how they lie to each other, and how sound it is."""

from typing import TYPE_CHECKING

import streamlit as st

from emotion_core.errors import EmotionError
from ui import cache, charts, pickers, widgets

if TYPE_CHECKING:
    from emotion_core.dataset import Dataset
    from emotion_core.overview import Overview


def show_numbers(dataset: "Dataset", overview: "Overview") -> None:
    """Show size and imbalance at a glance."""
    with st.grid(4, min_column_width=180):
        look = {"delta_color": "off", "delta_arrow": "off", "border": True, "height": "stretch"}
        training = sum(overview.training.values())
        st.metric("Faces", f"{len(dataset):,}", f"{training:,} for training", **look)
        if overview.is_even:
            st.metric("Every class", f"{overview.share(overview.largest):.1%}", "of faces, all equally many", **look)
            st.metric("Imbalance", "none", "no class is larger than another", **look)
            return
        for label, name in (("Largest class", overview.largest), ("Smallest class", overview.smallest)):
            st.metric(label, name, f"{overview.share(name):.1%} of faces", **look)
        ratio = dataset.imbalance_ratio()
        st.metric(
            "Imbalance",
            "a class is empty" if ratio is None else f"{ratio:.1f} : 1",
            f"{overview.largest} to {overview.smallest}",
            **look,
        )


def show_counts(overview: "Overview") -> None:
    """Show the faces of each emotion, split as the coursework split them."""
    widgets.heading("Faces by emotion", "counts")
    parts = {"Training": overview.training, "Validation": overview.validation, "Held back": overview.held_back}
    st.html(charts.class_counts(parts))
    training, validation, held_back = (sum(part.values()) for part in parts.values())
    rest = f" Faintest: {held_back:,} held back by the file's Usage column." if held_back else ""
    st.caption(f"Solid: {training:,} for training. Faint: the first {validation:,}, for validation.{rest}")


def show_classes(dataset: "Dataset") -> None:
    """Show how uneven the classes are, what weights do about it, and what unevenness does to scores."""
    from ui import imbalance

    try:
        overview = cache.overview(dataset)
    except EmotionError as error:  # faces that cannot train, such as test faces, can be counted all the same
        widgets.heading("Faces by emotion", "counts")
        st.html(charts.class_counts({"Faces": dataset.counts()}))
        st.info(widgets.plain(str(error)), icon=":material/info:")
        return
    show_numbers(dataset, overview)
    with st.grid(2, min_column_width=charts.SIDE_BY_SIDE, gap="large"):
        with st.container():
            show_counts(overview)
        with st.container():
            imbalance.show_weights(overview)
    imbalance.show_loss(overview)
    imbalance.show_why_accuracy_misleads(dataset, overview)


def show_faces(dataset: "Dataset") -> None:
    """Show the faces one by one, and what those of an emotion have in common."""
    from ui.class_faces import show_class_faces
    from ui.face_gallery import show_gallery

    show_gallery(dataset)
    show_class_faces(dataset)


def show_map(dataset: "Dataset") -> None:
    """Show which faces lie near each other."""
    from ui.face_map import show_face_map

    show_face_map(dataset)


def show_health(dataset: "Dataset") -> None:
    """Show what is wrong with the data."""
    from ui.data_health import show_health

    show_health(dataset)


VIEWS = {"Classes": show_classes, "Faces": show_faces, "Map": show_map, "Health": show_health}

widgets.page_header("Explore", "What is in the data, and how balanced it is.")
faces = pickers.pick_dataset("explored-data")
if faces is None:
    st.stop()
views = dict(VIEWS)
if faces.labels is None:
    del views["Classes"]
    st.caption(f"{len(faces):,} faces without labels: for predicting, not for training.")
view = st.segmented_control(
    "View", list(views), default=next(iter(views)), required=True, key="view", bind="query-params",
    label_visibility="collapsed",
)  # fmt: skip
views[view or next(iter(views))](faces)  # an address with `?view=` chooses none
