//! The edge to pingora: what a request may do, and handing it on. Floor: edge.
