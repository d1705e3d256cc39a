//! What gateway, portal and admin share of HTTP. Floor: imports `domain`.
