//! Entry points of the BPF object. What they do is in the library, which also builds on the host.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]

#[cfg(target_arch = "bpf")]
mod entry {
    use aya_ebpf::{
        bindings::{TC_ACT_SHOT, TC_ACT_UNSPEC},
        macros::{btf_tracepoint, classifier, tracepoint, xdp},
        programs::{BtfTracePointContext, TcContext, TracePointContext, XdpContext},
    };
    use aya_log_ebpf::warn;
    use ha_common::lease::Reply;
    use ha_ebpf::{
        Action, Maps, Packet, SocketBuffer, adopt, exit, lost, refused, run, run_egress, run_lease,
        run_local,
    };

    /// The data path, attached to the interfaces.
    #[xdp(frags)]
    fn ha_xdp(ctx: XdpContext) -> u32 {
        run(&mut Packet::new(ctx.ctx), &mut Maps::new()) as u32
    }

    /// The lease operations, attached nowhere.
    #[xdp]
    fn ha_lease(ctx: XdpContext) -> u32 {
        let reply = run_lease(&Packet::new(ctx.ctx), &mut Maps::new());
        // Renewals come many times a second and are not worth a line; a refusal is.
        if reply != Reply::Done {
            warn!(&ctx, "lease request refused: {}", reply as u32);
        }
        reply as u32
    }

    /// Behind the data path, on interfaces that decide too early whom a frame is for.
    #[classifier]
    fn ha_adopt(ctx: TcContext) -> i32 {
        adopt(&ctx, &Maps::new())
    }

    /// On the way out of the interfaces.
    #[classifier]
    fn ha_egress(ctx: TcContext) -> i32 {
        match run_egress(&SocketBuffer::new(ctx.skb.skb), &mut Maps::new()) {
            Action::Drop => TC_ACT_SHOT,
            // What else becomes of it is for other programs and filters to say.
            Action::Pass | Action::Tx | Action::Redirect => TC_ACT_UNSPEC,
        }
    }

    /// On the way out of the loopback interface.
    #[classifier]
    fn ha_local(ctx: TcContext) -> i32 {
        let buffer = SocketBuffer::new(ctx.skb.skb);
        let (action, errand) = run_local(&buffer, &mut Maps::new());
        match action {
            Action::Pass | Action::Redirect => TC_ACT_UNSPEC,
            Action::Drop => TC_ACT_SHOT,
            Action::Tx => buffer.send_out(&errand),
        }
    }

    /// At the end of each thread of the host.
    #[btf_tracepoint(function = "sched_process_exit")]
    fn ha_exit(_: BtfTracePointContext) -> i32 {
        exit(&mut Maps::new())
    }

    /// When frames have been redirected to an interface.
    #[tracepoint]
    fn ha_lost(ctx: TracePointContext) -> u32 {
        lost(&ctx, &mut Maps::new())
    }

    /// When a frame could not be redirected.
    #[tracepoint]
    fn ha_refused(ctx: TracePointContext) -> u32 {
        refused(&ctx, &mut Maps::new())
    }

    /// What the kernel reads to decide which helpers the object may call.
    #[unsafe(link_section = "license")]
    #[unsafe(no_mangle)]
    static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        loop {}
    }
}

/// On the host the crate is its library.
#[cfg(not(target_arch = "bpf"))]
fn main() {}
