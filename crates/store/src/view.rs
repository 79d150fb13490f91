//! A data folder read from beside: without its lock, while a server may work in it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use barograph_model::{Clock, Labels, Matcher};

use crate::error::{OpenError, SelectError};
use crate::folder::Folder;
use crate::select::{Answer, Piece, Question};
use crate::settings::{Limits, Settings};
use crate::shared::Shared;

/// The folder as it was when it was opened, to read only. Each live file is seen as it was at one
/// moment.
#[derive(Debug)]
pub struct StoreView {
    shared: Shared,
}

impl StoreView {
    /// Nothing in the folder is changed.
    ///
    /// # Errors
    /// There is no such folder, it is not a store's, or a newer version wrote it.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let folder = Folder::look(dir)?;
        let (files, _) = folder.files()?;
        let shared = Shared::new(Settings::new(dir), clock, folder);
        shared.look_at(&files);
        Ok(Self { shared })
    }

    /// As [`crate::Store::series_list`].
    ///
    /// # Errors
    /// A limit is passed.
    pub fn series_list(
        &self,
        matchers: &[Matcher],
        range_ms: (i64, i64),
        limits: &Limits<'_>,
    ) -> Result<Answer<Vec<Labels>>, SelectError> {
        self.question(matchers, range_ms, limits).series()
    }

    /// As [`crate::Store::select_each`].
    ///
    /// # Errors
    /// A limit is passed.
    pub fn select_each(
        &self,
        matchers: &[Matcher],
        range_ms: (i64, i64),
        limits: &Limits<'_>,
        act: &mut dyn FnMut(Piece<'_>) -> ControlFlow<()>,
    ) -> Result<Answer<()>, SelectError> {
        let warnings = self.question(matchers, range_ms, limits).each(act)?;
        Ok(Answer { data: (), warnings })
    }

    fn question<'a>(
        &'a self,
        matchers: &'a [Matcher],
        range_ms: (i64, i64),
        limits: &'a Limits<'a>,
    ) -> Question<'a> {
        Question { shared: &self.shared, matchers, range_ms, limits }
    }
}
