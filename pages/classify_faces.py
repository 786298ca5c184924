from ui import widgets

widgets.page_header("Classify", "In the making.")
