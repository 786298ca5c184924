from ui import widgets

widgets.page_header("Explore", "In the making.")
