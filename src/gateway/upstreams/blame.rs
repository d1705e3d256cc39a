//! Whether a failure to connect says anything about the server at all: a process that may open no more files, or has no port left to connect
//! from, would find every server dead. Floor: edge (pure).

use std::error::Error as StdError;
use std::io;

use pingora::{Error, ErrorType};
use rustix::io::Errno;

use super::NoServer;

/// What is lacking here when one of these is said (`connect(2)`, `socket(2)`).
const OURS: [Errno; 5] = [Errno::MFILE, Errno::NFILE, Errno::ADDRNOTAVAIL, Errno::NOBUFS, Errno::NOMEM];

/// Whose doing a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The server does not take connections, or is not there.
    Server,
    /// This process cannot open one.
    Ourselves,
}

/// Who is to blame that there is no connection.
pub(super) fn of(error: &Error) -> Blame {
    match error.etype() {
        // a socket that this user may not open, or an address that is not ours
        ErrorType::InternalError | ErrorType::BindError => Blame::Ourselves,
        _ => of_cause(error.root_cause()),
    }
}

/// Who is to blame that it is not known where to connect to.
pub(super) fn of_no_server(error: &NoServer) -> Blame {
    match error {
        NoServer::NoAddress { source: Some(source), .. } => of_cause(source),
        NoServer::Unknown(_)
        | NoServer::NoneHealthy(_)
        | NoServer::NoAddress { source: None, .. }
        | NoServer::NoSocket(_)
        | NoServer::NoName => Blame::Server,
    }
}

fn of_cause(error: &(dyn StdError + 'static)) -> Blame {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let said = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error);
        if said.is_some_and(|said| OURS.iter().any(|errno| errno.raw_os_error() == said)) {
            return Blame::Ourselves;
        }
        // pingora keeps causes where `source` does not look
        cause = match error.downcast_ref::<Box<Error>>() {
            Some(pingoras) => Some(pingoras.root_cause() as &(dyn StdError + 'static)),
            None => error.source(),
        };
    }
    Blame::Server
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_not_to_blame_for_what_is_lacking_here() {
        let failed = |errno: Errno, etype: ErrorType| {
            let cause = io::Error::from_raw_os_error(errno.raw_os_error());
            of(&Error::because(etype, "Fail to connect", cause).more_context("to the server"))
        };
        for errno in OURS {
            assert_eq!(failed(errno, ErrorType::ConnectError), Blame::Ourselves, "{errno}");
        }
        for errno in [Errno::CONNREFUSED, Errno::HOSTUNREACH, Errno::TIMEDOUT, Errno::NOENT] {
            assert_eq!(failed(errno, ErrorType::ConnectError), Blame::Server, "{errno}");
        }
        assert_eq!(failed(Errno::ACCESS, ErrorType::InternalError), Blame::Ourselves);
        assert_eq!(of(&Error::explain(ErrorType::ConnectTimedout, "late")), Blame::Server);
        let looked_up = |errno: Errno| {
            let source = Some(io::Error::from_raw_os_error(errno.raw_os_error()));
            of_no_server(&NoServer::NoAddress { host: "app".to_owned(), source })
        };
        assert_eq!(looked_up(Errno::MFILE), Blame::Ourselves);
        assert_eq!(looked_up(Errno::NOENT), Blame::Server);
    }
}
