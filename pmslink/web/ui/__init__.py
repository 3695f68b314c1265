"""The page: static files, translations, and the data that the page loads at its start."""
