//! A question to a family of generic netlink, as its attributes, and the attributes of the answer.

use std::{fmt::Debug, io, marker::PhantomData, pin::pin};

use futures_util::StreamExt;
use genetlink::{GenetlinkError, GenetlinkHandle};
use netlink_packet_generic::{GenlFamily, GenlHeader, GenlMessage};
use rtnetlink::packet_core::{
    DecodeError, DefaultNla, Emitable, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload, NlasIterator,
    Parseable, ParseableParametrized,
};

/// A command of a family.
pub(super) trait Command: Clone + Debug + Send + 'static {
    const FAMILY: &'static str;
    const VERSION: u8;
    const COMMAND: u8;
}

/// Asks, for one answer. `None` if there is no such family, or it says nothing.
///
/// # Errors
/// The kernel's.
pub(super) async fn ask<C: Command>(
    handle: &GenetlinkHandle,
    attributes: Vec<DefaultNla>,
) -> io::Result<Option<Vec<DefaultNla>>> {
    let question = Message::<C>(attributes, PhantomData);
    let mut message = NetlinkMessage::from(GenlMessage::from_payload(question));
    message.header.flags = NLM_F_REQUEST;
    let replies = match handle.clone().request(message).await {
        Ok(replies) => replies,
        // There is no such family.
        Err(GenetlinkError::NetlinkError(_)) => return Ok(None),
        Err(error) => return Err(io::Error::other(error)),
    };
    let mut replies = pin!(replies);
    while let Some(reply) = replies.next().await {
        match reply.map_err(io::Error::other)?.payload {
            NetlinkPayload::InnerMessage(message) => return Ok(Some(message.payload.0)),
            NetlinkPayload::Error(refusal) => return Err(refusal.to_io()),
            _ => {}
        }
    }
    Ok(None)
}

#[derive(Clone, Debug)]
struct Message<C>(Vec<DefaultNla>, PhantomData<C>);

impl<C: Command> GenlFamily for Message<C> {
    fn family_name() -> &'static str {
        C::FAMILY
    }

    fn command(&self) -> u8 {
        C::COMMAND
    }

    fn version(&self) -> u8 {
        C::VERSION
    }
}

impl<C> Emitable for Message<C> {
    fn buffer_len(&self) -> usize {
        self.0.as_slice().buffer_len()
    }

    fn emit(&self, buffer: &mut [u8]) {
        self.0.as_slice().emit(buffer);
    }
}

impl<C> ParseableParametrized<[u8], GenlHeader> for Message<C> {
    fn parse_with_param(octets: &[u8], _: GenlHeader) -> Result<Self, DecodeError> {
        parse(octets).map(|attributes| Self(attributes, PhantomData))
    }
}

/// The attributes of a message.
///
/// # Errors
/// If these octets are none.
pub(super) fn parse(octets: &[u8]) -> Result<Vec<DefaultNla>, DecodeError> {
    let attributes = NlasIterator::new(octets).map(|attribute| DefaultNla::parse(&attribute?));
    attributes.collect()
}
