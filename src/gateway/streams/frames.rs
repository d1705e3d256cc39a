//! Where frames begin and end in what a WebSocket server says, from its 101 on (RFC 6455 §5.2).
//! Looks at lengths and at nothing else: payloads, extensions and masks pass as they are. Floor: edge (pure).

/// The end of a head.
const HEAD_END: [u8; 4] = *b"\r\n\r\n";
/// The longest head of a frame: two bytes, a length of eight, a mask of four.
const LONGEST_HEAD: usize = 14;
/// The opcode of a close frame, and the bits it is in.
const CLOSE: u8 = 0x8;
const OPCODE: u8 = 0x0f;

/// How far the bytes are that went down so far.
#[derive(Clone, Copy, Debug)]
pub(in crate::gateway) struct Frames {
    place: Place,
    has_closed: bool,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// In the head of the answer; so many bytes of its end have been seen.
    Answer(usize),
    /// In the head of a frame, or before it.
    Head { bytes: [u8; LONGEST_HEAD], have: usize },
    /// In a payload of which so much is to come.
    Payload(u64),
}

const BETWEEN: Place = Place::Head { bytes: [0; LONGEST_HEAD], have: 0 };

impl Default for Frames {
    /// Before the answer that switches protocols.
    fn default() -> Self {
        Self { place: Place::Answer(0), has_closed: false }
    }
}

impl Frames {
    /// Takes in bytes that were sent.
    pub(in crate::gateway) fn sent(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.take(bytes);
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// How many of the next bytes belong to the frame (or the answer's head) that is under way: all of them when it goes on after them.
    pub(in crate::gateway) fn rest_of_frame(&self, bytes: &[u8]) -> usize {
        let mut ahead = *self;
        let mut count = 0;
        while !ahead.is_between() && count < bytes.len() {
            count += ahead.take(bytes.get(count..).unwrap_or_default());
        }
        count
    }

    /// Whether one frame has ended and the next has not begun.
    pub(in crate::gateway) fn is_between(&self) -> bool {
        matches!(self.place, Place::Head { have: 0, .. })
    }

    /// Whether the server has said goodbye itself: nothing may follow that (RFC 6455 §5.5.1).
    pub(in crate::gateway) fn has_closed(&self) -> bool {
        self.has_closed
    }

    /// Takes in as many bytes as belong together; at least one.
    fn take(&mut self, bytes: &[u8]) -> usize {
        let Some(&byte) = bytes.first() else { return 0 };
        match &mut self.place {
            Place::Answer(seen) => {
                let goes_on = HEAD_END.get(*seen) == Some(&byte);
                *seen = if goes_on { *seen + 1 } else { usize::from(byte == b'\r') };
                if *seen == HEAD_END.len() {
                    self.place = BETWEEN;
                }
                1
            }
            Place::Head { bytes: head, have } => {
                if let Some(place) = head.get_mut(*have) {
                    *place = byte;
                }
                *have += 1;
                if let Some(payload) = payload_bytes(head, *have) {
                    self.has_closed |= head[0] & OPCODE == CLOSE;
                    self.place = if payload == 0 { BETWEEN } else { Place::Payload(payload) };
                }
                1
            }
            Place::Payload(left) => {
                let taken = bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                if *left == 0 {
                    self.place = BETWEEN;
                }
                taken
            }
        }
    }
}

/// The length of the payload; `None` while the head is not whole.
fn payload_bytes(head: &[u8; LONGEST_HEAD], have: usize) -> Option<u64> {
    let [_, lengths, rest @ ..] = head;
    let (length_bytes, short) = match lengths & 0x7f {
        126 => (2, 0),
        127 => (8, 0),
        short => (0, u64::from(short)),
    };
    let mask_bytes = if lengths & 0x80 == 0 { 0 } else { 4 };
    if have < 2 + length_bytes + mask_bytes {
        return None;
    }
    Some(rest.iter().take(length_bytes).fold(short, |length, byte| length << 8 | u64::from(*byte)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";

    /// The head of a frame for a payload of `length`, in the form that `marker` says.
    fn head(first: u8, marker: u8, length: u64) -> Vec<u8> {
        let mut head = vec![first, marker];
        match marker & 0x7f {
            126 => head.extend(u16::try_from(length).unwrap().to_be_bytes()),
            127 => head.extend(length.to_be_bytes()),
            short => assert_eq!(u64::from(short), length),
        }
        head
    }

    fn frame(first: u8, marker: u8, length: usize) -> Vec<u8> {
        let mut frame = head(first, marker, length as u64);
        // Payloads that look like heads and ends of heads.
        frame.extend(b"\r\n\r\n\x88\x00\x81\x7f".iter().cycle().take(length));
        frame
    }

    /// Each with whether it is a close frame.
    fn frames() -> Vec<(Vec<u8>, bool)> {
        let masked = {
            let mut frame = head(0x82, 0x80 | 3, 3);
            frame.extend([1, 2, 3, 4, 9, 9, 9]);
            frame
        };
        vec![
            (frame(0x81, 5, 5), false),
            (frame(0x01, 125, 125), false),
            (frame(0x89, 0, 0), false),
            (frame(0x00, 126, 126), false),
            (frame(0x80, 126, 0xffff), false),
            // RSV1: compressed.
            (frame(0xc2, 127, 70_000), false),
            // A length that would fit a shorter form: not ours to mind.
            (frame(0x82, 127, 3), false),
            (masked, false),
            (frame(0x8a, 4, 4), false),
            (frame(0x88, 2, 2), true),
        ]
    }

    #[test]
    fn frames_are_told_apart_however_the_bytes_come() {
        for piece in [1, 2, 3, 7, 1000, usize::MAX] {
            let mut stream = ANSWER.to_vec();
            let mut ends = vec![stream.len()];
            for (frame, _) in frames() {
                stream.extend(frame);
                ends.push(stream.len());
            }
            let mut said = Frames::default();
            let mut at = 0;
            for bytes in stream.chunks(piece.min(stream.len())) {
                let next_end = ends.iter().copied().find(|end| *end > at || (*end == at && said.is_between())).unwrap();
                assert_eq!(said.is_between(), ends.contains(&at), "at {at} in pieces of {piece}");
                assert_eq!(said.rest_of_frame(bytes), bytes.len().min(next_end - at), "at {at} in pieces of {piece}");
                said.sent(bytes);
                at += bytes.len();
            }
            assert!(said.is_between());
        }
    }

    #[test]
    fn only_a_close_frame_is_a_goodbye() {
        let mut said = Frames::default();
        said.sent(ANSWER);
        for (frame, is_close) in frames() {
            assert!(!said.has_closed());
            said.sent(&frame);
            assert_eq!(said.has_closed(), is_close);
        }
    }

    #[test]
    fn the_answer_is_whole_before_anything_is_between_frames() {
        let mut said = Frames::default();
        assert!(!said.is_between());
        said.sent(b"HTTP/1.1 101 x\r\nA: \r\r\n");
        assert!(!said.is_between());
        assert_eq!(said.rest_of_frame(b"\r\n\x81\x01a"), 2);
        said.sent(b"\r\n");
        assert!(said.is_between());
    }

    #[test]
    fn the_longest_length_there_is_does_not_overflow() {
        let mut said = Frames::default();
        said.sent(ANSWER);
        said.sent(&head(0x82, 127, u64::MAX));
        said.sent(&[0; 4096]);
        assert!(!said.is_between());
        assert_eq!(said.rest_of_frame(&[0; 100]), 100);
    }
}
