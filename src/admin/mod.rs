//! What operators do: the operations behind the command line. Floor: edge.
