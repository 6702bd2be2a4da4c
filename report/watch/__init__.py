"""The page of a run, live: served to the browser of whoever watches, with a button to stop."""
