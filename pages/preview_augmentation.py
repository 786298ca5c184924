from ui import widgets

widgets.page_header("Augment", "In the making.")
