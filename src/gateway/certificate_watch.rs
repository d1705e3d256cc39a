//! Looks at the files of all certificates again and again, and puts a changed pair in place while connections go on. Reads contents, so
//! that swapped symbolic links (`..data` of Kubernetes, `live/` of certbot) are changes like any other. A pair that cannot be used changes nothing.
//! When it looks is the roof's to say. Floor: edge.

use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use super::certificate_validity::{Standing, Validity};
use super::certificates::{CertificateMistake, Certificates, Fingerprint, PairBytes, read_all};
use super::settings::CertificateFiles;
use crate::domain::time::UnixMillis;
use crate::metrics;

/// The certificates of all TLS listeners, with what is known of their files.
#[derive(Debug, Default)]
pub struct ListenerCertificates(Mutex<Vec<Watched>>);

/// What to make of files that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Complaints {
    /// Said when two looks in a row find the same: files that are just being replaced are none to talk about.
    WhenTheyStay,
    /// Said at once: somebody asked for the files to be read.
    AtOnce,
}

/// One pair of files and the place its certificate has at its listener.
#[derive(Debug)]
struct Watched {
    files: CertificateFiles,
    listener: Arc<Certificates>,
    place: usize,
    in_force: Fingerprint,
    validity: Option<Validity>,
    /// How it stood when that was last said.
    said: Standing,
    /// Why the files cannot be used, as the last look found it and nobody was told yet.
    suspected: Option<String>,
    /// The same, as it was told; `None` as long as they can.
    told: Option<String>,
}

impl ListenerCertificates {
    /// Reads the pairs of one listener and watches them from here on.
    ///
    /// # Errors
    /// With the first file that cannot be used.
    pub fn add(&mut self, files: &[CertificateFiles]) -> Result<Arc<Certificates>, CertificateMistake> {
        let pairs = read_all(files)?;
        let certificates: Vec<_> = pairs.iter().map(|(pair, _)| pair.clone()).collect();
        let listener = Certificates::new(&certificates);
        let all = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        for (place, (files, (pair, in_force))) in files.iter().zip(pairs).enumerate() {
            count_end(files, pair.validity);
            all.push(Watched {
                files: files.clone(),
                listener: Arc::clone(&listener),
                place,
                in_force,
                validity: pair.validity,
                said: Standing::Good,
                suspected: None,
                told: None,
            });
        }
        Ok(listener)
    }

    /// Whether there is nothing to watch.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Reads all files. Changed pairs that can be used are in force when this returns; what an operator has to know is logged, once. Blocks
    /// for as long as the file system does.
    pub fn look(&self, now: UnixMillis, complaints: Complaints) {
        for watched in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
            watched.look(now, complaints);
        }
    }
}

impl Watched {
    fn look(&mut self, now: UnixMillis, complaints: Complaints) {
        match PairBytes::of(&self.files) {
            Ok(bytes) if bytes.fingerprint() == self.in_force => self.is_as_before(),
            Ok(bytes) => match bytes.parse(&self.files) {
                Ok(pair) => {
                    self.listener.put(self.place, &pair.certified);
                    self.in_force = bytes.fingerprint();
                    self.validity = pair.validity;
                    count_end(&self.files, self.validity);
                    self.said = Standing::Good;
                    (self.suspected, self.told) = (None, None);
                    tracing::info!(
                        certificate = %self.files.certificate.display(),
                        until = self.validity.map(|validity| validity.until.to_string()),
                        "a changed certificate is in force"
                    );
                }
                Err(mistake) => self.cannot_be_used(&mistake, complaints),
            },
            Err(mistake) => self.cannot_be_used(&mistake, complaints),
        }
        let standing = standing(self.validity, now);
        if standing > self.said
            && let Some(remark) = self.validity.and_then(|validity| validity.remark(now))
        {
            self.said = standing;
            tracing::warn!(certificate = %self.files.certificate.display(), "the certificate in use {remark}");
        }
    }

    fn is_as_before(&mut self) {
        self.suspected = None;
        if self.told.take().is_some() {
            tracing::info!(
                certificate = %self.files.certificate.display(),
                "the files of this certificate can be used again; they hold what is in force"
            );
        }
    }

    fn cannot_be_used(&mut self, mistake: &CertificateMistake, complaints: Complaints) {
        let why = match mistake.source() {
            Some(source) => format!("{mistake}: {source}"),
            None => mistake.to_string(),
        };
        if self.told.as_ref() == Some(&why) {
            return;
        }
        let stays = self.suspected.as_ref() == Some(&why);
        if complaints == Complaints::WhenTheyStay && !stays {
            self.suspected = Some(why);
            return;
        }
        // somebody has to look: when the old one runs out, the site is gone
        tracing::error!(
            certificate = %self.files.certificate.display(),
            key = %self.files.key.display(),
            why,
            "a changed certificate cannot be used; the old one stays in force"
        );
        self.suspected = None;
        self.told = Some(why);
    }
}

fn count_end(files: &CertificateFiles, validity: Option<Validity>) {
    let Some(validity) = validity else { return };
    let file = files.certificate.display().to_string();
    metrics::all().certificate_ends.with_label_values(&[file.as_str()]).set(validity.until.0.div_euclid(1000));
}

/// A certificate whose time cannot be told is left alone.
fn standing(validity: Option<Validity>, now: UnixMillis) -> Standing {
    validity.map_or(Standing::Good, |validity| validity.standing(now))
}
