//! What portal and admin pages are made of: layout, templates, languages, style. Floor: imports `web`.
