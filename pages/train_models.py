from ui import widgets

widgets.page_header("Train", "In the making.")
