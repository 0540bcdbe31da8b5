"""The web chat beside other chat widgets: how large (`bundles`), and how soon it is there and answers (`paint`)."""
