//! How a receiver over HTTP knows us, and we it.

use barograph_fetch::{Credentials, TlsSettings};

use super::Telling;
use crate::carry::http::Call;
use crate::failure::Failure;
use crate::reader::Fields;
use crate::secret::SecretText;

/// How the receiver knows us.
#[derive(Debug)]
pub(super) struct Access {
    user: Option<String>,
    password: Option<SecretText>,
    token: Option<SecretText>,
    tls: TlsSettings,
}

impl Access {
    pub(super) fn read(fields: &mut Fields) -> Self {
        let user = fields.text("user");
        let password = fields.secret("password");
        let token = fields.secret("token");
        if user.is_some() != password.is_some() {
            let at = fields.place();
            fields.refuse("user", at, "`user` and `password` are given together or not at all");
        }
        if user.is_some() && token.is_some() {
            fields.refuse("token", fields.place(), "only one of `user` and `token` is allowed");
        }
        Self { user, password, token, tls: super::tls(fields) }
    }

    pub(super) fn add_to(&self, telling: &Telling<'_>, call: &mut Call) -> Result<(), Failure> {
        call.tls = self.tls.clone();
        if let (Some(user), Some(password)) = (&self.user, &self.password) {
            let password = telling.secrets.text(password)?;
            call.credentials = Credentials::Basic { user: user.clone(), password };
        }
        if let Some(token) = &self.token {
            let token = telling.secrets.text(token)?;
            call.credentials = Credentials::Header(format!("Bearer {token}"));
        }
        Ok(())
    }
}
