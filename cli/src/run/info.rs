//! `residua info`.
use crate::args::InfoArgs;
use crate::exit::Exit;
use crate::plan::Context;
pub(crate) fn info(_: &InfoArgs, _: &Context) -> Exit {
    Exit::Success
}
