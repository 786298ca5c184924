from ui import widgets

widgets.page_header("Kaggle", "In the making.")
