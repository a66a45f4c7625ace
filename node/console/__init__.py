"""The console: pages of a node for the people of its municipality.

A package a subject (`board`, `case`, `holds` …), each with `pages` (addresses and who may come), templates under
`templates/SUBJECT/` and texts in two languages in `wording`. `pages.PAGES` lists them all.
"""
