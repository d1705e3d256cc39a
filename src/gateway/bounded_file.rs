//! Reads files that others have put there: never more than a bound, and never for ever. A pipe in the place of a file holds nobody up, and a
//! device, a socket and a folder are called what they are. Knows nothing of what is in them. Floor: edge.

use std::fs::{File, FileType, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::OFlags;
use rustix::io::Errno;
use zeroize::Zeroizing;

/// What may be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// What is read again later has to be a plain file.
    PlainFile,
    /// What is read once may come through a pipe as well: `--config <(…)`, `/dev/stdin`.
    PlainFileOrPipe,
}

/// What was read.
#[derive(Debug)]
pub struct Contents {
    /// All of it.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Of the file that was read, whatever is at its path by now.
    pub metadata: Metadata,
}

/// How long a pipe may take to come to its end. Our own choice: whoever writes may have to ask a vault first.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the file at `path`; symbolic links are followed.
///
/// # Errors
/// It cannot be opened, is of another kind, larger than `most_bytes`, or a pipe that does not come to its end.
pub fn read(path: &Path, accepted: Accepted, most_bytes: u64) -> io::Result<Contents> {
    read_opened(open(path)?, accepted, most_bytes)
}

/// Reads a file that was opened with `NONBLOCK`.
///
/// # Errors
/// As `read`.
pub fn read_opened(file: File, accepted: Accepted, most_bytes: u64) -> io::Result<Contents> {
    read_within(file, accepted, most_bytes, PATIENCE)
}

/// A pipe that nobody writes to is opened all the same.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    File::options().read(true).custom_flags(i32::try_from(flags.bits()).unwrap_or_default()).open(path).map_err(
        |error| {
            match error.raw_os_error() {
                // The system's word for it is "no such device or address".
                Some(code) if code == Errno::NXIO.raw_os_error() => io::Error::other("it is a socket"),
                Some(_) | None => error,
            }
        },
    )
}

fn read_within(mut file: File, accepted: Accepted, most_bytes: u64, patience: Duration) -> io::Result<Contents> {
    let metadata = file.metadata()?;
    let bytes = match (kind_of(metadata.file_type()), accepted) {
        (Kind::PlainFile, _) => {
            let expected = usize::try_from(metadata.len().min(most_bytes)).unwrap_or_default();
            let mut bytes = Zeroizing::new(Vec::with_capacity(expected + 1));
            file.take(most_bytes + 1).read_to_end(&mut bytes)?;
            bytes
        }
        (Kind::Pipe, Accepted::PlainFileOrPipe) => out_of_pipe(&mut file, most_bytes, patience)?,
        (Kind::Pipe, Accepted::PlainFile) => return Err(io::Error::other("it is a pipe, and a plain file is needed")),
        (Kind::Other(what), _) => return Err(io::Error::other(format!("it is a {what}"))),
    };
    if bytes.len() as u64 > most_bytes {
        return Err(io::Error::other(format!("it is larger than {most_bytes} bytes")));
    }
    Ok(Contents { bytes, metadata })
}

/// What comes until the last writer has closed the pipe, or one byte more than is wanted.
fn out_of_pipe(pipe: &mut File, most_bytes: u64, patience: Duration) -> io::Result<Zeroizing<Vec<u8>>> {
    let until = Instant::now() + patience;
    let mut bytes = Zeroizing::new(Vec::new());
    let mut piece = Zeroizing::new([0; 4096]);
    while bytes.len() as u64 <= most_bytes {
        let left = until.saturating_duration_since(Instant::now());
        let ready = match poll(&mut [PollFd::new(&*pipe, PollFlags::IN)], Timespec::try_from(left).ok().as_ref()) {
            Err(Errno::INTR) => continue,
            polled => polled?,
        };
        if ready == 0 {
            let seconds = patience.as_secs();
            return Err(io::Error::other(format!(
                "it is a pipe that did not come to its end within {seconds} seconds"
            )));
        }
        match pipe.read(&mut piece[..]) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(piece.get(..count).unwrap_or_default()),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

enum Kind {
    PlainFile,
    Pipe,
    Other(&'static str),
}

fn kind_of(file_type: FileType) -> Kind {
    match file_type {
        plain if plain.is_file() => Kind::PlainFile,
        pipe if pipe.is_fifo() => Kind::Pipe,
        folder if folder.is_dir() => Kind::Other("directory"),
        socket if socket.is_socket() => Kind::Other("socket"),
        _ => Kind::Other("device"),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::os::unix::net::UnixListener;

    use rustix::fs::{CWD, Mode, mknodat};

    use super::*;

    fn said(path: &Path, accepted: Accepted) -> String {
        let read = open(path).and_then(|file| read_within(file, accepted, 10, Duration::from_millis(50)));
        read.map_or_else(|error| error.to_string(), |read| String::from_utf8_lossy(&read.bytes).into_owned())
    }

    fn pipe(folder: &tempfile::TempDir) -> std::path::PathBuf {
        let path = folder.path().join("pipe");
        mknodat(CWD, &path, rustix::fs::FileType::Fifo, Mode::RWXU, 0).unwrap();
        path
    }

    #[test]
    fn a_plain_file_is_read_up_to_its_bound() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        for (content, expected) in
            [("", ""), ("0123456789", "0123456789"), ("0123456789x", "it is larger than 10 bytes")]
        {
            std::fs::write(&path, content).unwrap();
            assert_eq!(said(&path, Accepted::PlainFile), expected);
        }
    }

    #[test]
    fn what_is_no_file_is_called_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let socket = folder.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        for accepted in [Accepted::PlainFile, Accepted::PlainFileOrPipe] {
            assert_eq!(said(folder.path(), accepted), "it is a directory");
            assert_eq!(said(&socket, accepted), "it is a socket");
            assert_eq!(said(Path::new("/dev/zero"), accepted), "it is a device");
        }
        assert_eq!(said(&pipe(&folder), Accepted::PlainFile), "it is a pipe, and a plain file is needed");
    }

    #[test]
    fn a_pipe_is_read_to_its_end_and_not_waited_for_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = pipe(&folder);
        let late = "it is a pipe that did not come to its end within 0 seconds";
        assert_eq!(said(&path, Accepted::PlainFileOrPipe), late, "nobody writes");
        let held = File::options().read(true).write(true).open(&path).unwrap();
        (&held).write_all(b"begun").unwrap();
        assert_eq!(said(&path, Accepted::PlainFileOrPipe), late, "it is not closed");
        (&held).write_all(b"more than ten").unwrap();
        assert_eq!(said(&path, Accepted::PlainFileOrPipe), "it is larger than 10 bytes");
        drop(held);

        let writing = path.clone();
        let writer = std::thread::spawn(move || {
            // Waits until somebody reads.
            let mut pipe = File::options().write(true).open(writing).unwrap();
            pipe.write_all(b"in ").unwrap();
            pipe.write_all(b"two").unwrap();
        });
        let file = open(&path).unwrap();
        let read = read_within(file, Accepted::PlainFileOrPipe, 10, Duration::from_secs(20)).unwrap();
        assert_eq!(read.bytes.as_slice(), b"in two");
        writer.join().unwrap();
    }
}
