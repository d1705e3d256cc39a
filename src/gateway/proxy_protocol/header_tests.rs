//! Headers good and bad, each as a whole and cut at every byte.

use super::*;

/// What a good header says: the source and the scheme.
type Said = (Option<&'static str>, Option<Scheme>);

fn v2(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [V2_START, [command, family].as_slice(), &length, rest].concat()
}

fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    [[kind].as_slice(), &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
}

const V4: &[u8] = &[198, 51, 100, 7, 10, 0, 0, 1, 0x12, 0x67, 0x01, 0xbb];

fn v6() -> Vec<u8> {
    let address = |text: &str| text.parse::<Ipv6Addr>().unwrap().octets();
    [address("2001:db8::7").as_slice(), &address("fd00::1"), &[0x12, 0x67, 0x01, 0xbb]].concat()
}

fn good() -> Vec<(Vec<u8>, Said)> {
    let v4_with = |additions: &[u8]| v2(0x21, 0x11, &[V4, additions].concat());
    let ssl = |client: u8| tlv(PP2_TYPE_SSL, &[client, 0, 0, 0, 0]);
    let ssl_with_version = tlv(PP2_TYPE_SSL, &[vec![1, 0, 0, 0, 0], tlv(0x21, b"TLSv1.3")].concat());
    let four = Some("198.51.100.7:4711");
    let six = Some("[2001:db8::7]:4711");
    let longest =
        b"PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n";
    let unknown_longest = [b"PROXY UNKNOWN ".as_slice(), &[b'x'; 91], b"\r\n"].concat();
    assert_eq!(unknown_longest.len(), V1_LONGEST);
    vec![
        (b"PROXY TCP4 198.51.100.7 10.0.0.1 4711 443\r\n".to_vec(), (four, None)),
        (b"PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n".to_vec(), (Some("0.0.0.0:0"), None)),
        (b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n".to_vec(), (Some("255.255.255.255:65535"), None)),
        (b"PROXY TCP6 2001:db8::7 fd00::1 4711 443\r\n".to_vec(), (six, None)),
        (b"PROXY TCP6 2001:DB8::7 ::1 4711 443\r\n".to_vec(), (six, None)),
        (b"PROXY TCP6 ::ffff:198.51.100.7 ::1 4711 443\r\n".to_vec(), (Some("[::ffff:198.51.100.7]:4711"), None)),
        (longest.to_vec(), (Some("[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"), None)),
        (b"PROXY UNKNOWN\r\n".to_vec(), (None, None)),
        (b"PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n".to_vec(), (None, None)),
        (unknown_longest, (None, None)),
        (v2(0x21, 0x11, V4), (four, None)),
        (v2(0x21, 0x21, &v6()), (six, None)),
        (v4_with(&tlv(0x04, &[0; 40])), (four, None)),
        (v4_with(&tlv(0x03, &[1, 2, 3, 4])), (four, None)),
        (v4_with(&[tlv(0x02, b"app.example.com"), tlv(0xea, b"\x01vpce-08d2bf15fac5001c9")].concat()), (four, None)),
        (v4_with(&ssl(1)), (four, Some(Scheme::Https))),
        (v4_with(&ssl(7)), (four, Some(Scheme::Https))),
        (v4_with(&ssl(0)), (four, Some(Scheme::Http))),
        (v4_with(&ssl(6)), (four, Some(Scheme::Http))),
        (v4_with(&ssl_with_version), (four, Some(Scheme::Https))),
        (v4_with(&tlv(0x05, b"")), (four, None)),
        (v4_with(&tlv(0x04, &vec![0; V2_LONGEST_REST - 12 - 3])), (four, None)),
        (v2(0x20, 0x00, b""), (None, None)),
        (v2(0x20, 0x11, V4), (None, None)),
        (v2(0x20, 0xff, b"whatever"), (None, None)),
        (v2(0x21, 0x00, b""), (None, None)),
        (v2(0x21, 0x00, &ssl(1)), (None, Some(Scheme::Https))),
        (v2(0x21, 0x31, &[0; 216]), (None, None)),
        (v2(0x21, 0x31, &[vec![0; 216], ssl(1)].concat()), (None, Some(Scheme::Https))),
    ]
}

fn bad() -> Vec<(Vec<u8>, HeaderMistake)> {
    use HeaderMistake::{Binary, Line, NoHeader, TooLong};
    let line = |text: &str| (text.as_bytes().to_vec(), Line);
    let v4_with = |additions: &[u8]| v2(0x21, 0x11, &[V4, additions].concat());
    let mut other_signature = v2(0x21, 0x11, V4);
    other_signature[5] = b'\n';
    vec![
        (b"GET / HTTP/1.1\r\nHost: app.example.com\r\n\r\n".to_vec(), NoHeader),
        (b"POST / HTTP/1.1\r\n\r\n".to_vec(), NoHeader),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), NoHeader),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(), NoHeader),
        (b"proxy TCP4 1.1.1.1 1.1.1.1 1 1\r\n".to_vec(), NoHeader),
        (b"PROXY\tTCP4 1.1.1.1 1.1.1.1 1 1\r\n".to_vec(), NoHeader),
        (b" PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n".to_vec(), NoHeader),
        (b"\r\nPROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n".to_vec(), NoHeader),
        (b"\0".to_vec(), NoHeader),
        (b"\r\n\r\nGET / HTTP/1.1\r\n".to_vec(), NoHeader),
        (other_signature, NoHeader),
        ([b"PROXY UNKNOWN ".as_slice(), &[b'x'; 92], b"\r\n"].concat(), TooLong),
        ([b"PROXY TCP4 ".as_slice(), &[b'1'; 200]].concat(), TooLong),
        (vec![b'P'; 3], NoHeader),
        line("PROXY  TCP4 1.1.1.1 1.1.1.1 1 1\r\n"),
        line("PROXY TCP4  1.1.1.1 1.1.1.1 1 1\r\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 \r\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 1 1 1\r\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 +1 1\r\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 01 1\r\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 1 065\r\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 65536 1\r\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 1 65536\r\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 -1 1\r\n"),
        line("PROXY TCP4 1.1.1.01 1.1.1.1 1 1\r\n"),
        line("PROXY TCP4 1.1.1 1.1.1.1 1 1\r\n"),
        line("PROXY TCP4 1.1.1.256 1.1.1.1 1 1\r\n"),
        line("PROXY TCP4 ::1 ::1 1 1\r\n"),
        line("PROXY TCP4 1.1.1.1 ::1 1 1\r\n"),
        line("PROXY TCP4 1.1.1.1,2.2.2.2 1.1.1.1 1 1\r\n"),
        line("PROXY TCP6 1.1.1.1 1.1.1.1 1 1\r\n"),
        line("PROXY TCP6 [::1] ::1 1 1\r\n"),
        line("PROXY TCP6 fe80::1%eth0 ::1 1 1\r\n"),
        line("PROXY TCP5 1.1.1.1 1.1.1.1 1 1\r\n"),
        line("PROXY tcp4 1.1.1.1 1.1.1.1 1 1\r\n"),
        line("PROXY UDP4 1.1.1.1 1.1.1.1 1 1\r\n"),
        line("PROXY unknown\r\n"),
        line("PROXY UNKNOWNS\r\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\n"),
        line("PROXY TCP4 1.1.1.1 1.1.1.1 1 1\rX"),
        line("PROXY TCP4\t1.1.1.1 1.1.1.1 1 1\r\n"),
        line("PROXY UNKNOWN \0\r\n"),
        line("PROXY UNKNOWN é\r\n"),
        (v2(0x11, 0x11, V4), Binary),
        (v2(0x31, 0x11, V4), Binary),
        (v2(0x22, 0x11, V4), Binary),
        (v2(0x21, 0x12, V4), Binary),
        (v2(0x21, 0x22, &v6()), Binary),
        (v2(0x21, 0x10, V4), Binary),
        (v2(0x21, 0x01, b""), Binary),
        (v2(0x21, 0x32, &[0; 216]), Binary),
        (v2(0x21, 0x41, V4), Binary),
        (v2(0x21, 0x11, &V4[..11]), Binary),
        (v2(0x21, 0x11, b""), Binary),
        (v2(0x21, 0x21, V4), Binary),
        (v2(0x21, 0x31, &[0; 215]), Binary),
        (v4_with(&[0x04]), Binary),
        (v4_with(&[0x04, 0]), Binary),
        (v4_with(&[0x04, 0, 2, 0]), Binary),
        (v4_with(&tlv(PP2_TYPE_SSL, &[1, 0, 0, 0])), Binary),
        ([V2_START, &[0x21, 0x11, 0x10, 0x01], &[0; 100]].concat(), TooLong),
        ([V2_START, &[0x20, 0x00, 0xff, 0xff]].concat(), TooLong),
    ]
}

#[test]
fn a_good_header_says_who_and_how() {
    for (bytes, (source, scheme)) in good() {
        let source = source.map(|text| text.parse().unwrap());
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        assert_eq!(read(&bytes), Progress::Whole(Announcement { source, scheme }), "{shown:?}");
    }
}

#[test]
fn a_header_that_is_cut_anywhere_asks_for_no_byte_that_is_not_its_own() {
    for (bytes, _) in good() {
        for cut in 0..bytes.len() {
            match read(&bytes[..cut]) {
                Progress::More(more) => assert!((1..=bytes.len() - cut).contains(&more), "{cut}: {more}"),
                other => panic!("{other:?} after {cut} bytes of {:?}", String::from_utf8_lossy(&bytes)),
            }
        }
    }
}

#[test]
fn what_is_no_header_is_refused_however_it_arrives() {
    for (bytes, mistake) in bad() {
        let shown = String::from_utf8_lossy(&bytes).into_owned();
        // at the latest with the whole, and for the same reason from the first refusal on
        let refused: Vec<_> = (0..=bytes.len())
            .map(|cut| read(&bytes[..cut]))
            .filter(|step| !matches!(step, Progress::More(_)))
            .collect();
        assert_eq!(refused.first(), Some(&Progress::Bad(mistake)), "{shown:?}");
        assert!(!refused.iter().any(|step| matches!(step, Progress::Whole(_))), "{shown:?}");
    }
}
