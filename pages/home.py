"""Home: what is here, in one look, and the next thing to do."""

import streamlit as st

from emotion_core.classifier import best_line
from ui import cache, home, tour, widgets

widgets.page_header("Facial emotions", "Look at the data, train and compare models, and let one read a face.")
lines, files = cache.lines(), home.labelled_files()
left, right = widgets.columns([3, 2], "first", narrowest=13, gap="medium")
with left:
    home.show_next_step(home.next_step(lines, files))
    with st.grid(2, min_column_width=200):
        data = st.container()
        home.show_best(best_line(lines))
        home.show_runs(lines)
        home.show_device()
with right:
    tour.offer_tour()
latest, best = widgets.columns([3, 2], "runs", narrowest=13, gap="medium")
with latest:
    home.show_latest(lines)
with best:
    home.show_ranking(lines)
with data:
    home.show_data(files)  # last: the first time, it is read
