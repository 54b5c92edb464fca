package io.tidemark.simulation.live;

import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.Lease;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveEvent;
import io.tidemark.replication.live.LiveMessage;
import io.tidemark.replication.live.LiveMessage.Numbered;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.Superblock;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Supplier;

/** One rule each is broken between a copy and its world; which invariant's check should see it stands beside. */
enum PlantedBug {
    /** 1: what is answered is lost. */
    WRITE_ACKNOWLEDGED_EARLY(
            "which was flushed|lacks the answered writes|had been answered|no prefix",
            () -> sayingMore((host, event) -> event instanceof LiveEvent.Write write && host.isPrimary()
                    ? Optional.of(new LiveEffect.Answer(write.request()))
                    : Optional.empty())),
    /** 1: the peer says that it is durable what is only in its memory. */
    CONFIRMED_BEFORE_DURABLE(
            "which was flushed|lacks the answered writes|no prefix|differ",
            () -> sayingMore((_, event) -> event instanceof LiveEvent.Arrived arrived
                            && arrived.message() instanceof Numbered numbered
                            && !(numbered instanceof LiveMessage.Compare)
                    ? Optional.of(new LiveEffect.Send(arrived.session(), new LiveMessage.Durable(numbered.number())))
                    : Optional.empty())),
    /** 3: a dirty bit goes when its block is sent, not when it is durable at the target. */
    BIT_CLEARED_EARLY(
            "lacks the answered writes|differ|no prefix",
            () -> doing((host, effect) -> {
                // Where digests go first, a word too early is found as what it is: comparisons are not answered yet.
                if (!host.settings().isComparing()
                        && effect instanceof LiveEffect.Send send
                        && send.message() instanceof LiveMessage.Block block) {
                    host.soon(0, new LiveEvent.Arrived(send.session(), new LiveMessage.Durable(block.number())));
                }
                return Optional.of(effect);
            })),
    /** 4: what comes after a barrier is written before what came before it. */
    BARRIER_CROSSED(
            "no prefix",
            () -> hearing((_, event) -> event instanceof LiveEvent.Arrived arrived
                            && arrived.message() instanceof LiveMessage.Barrier barrier
                    ? new LiveEvent.Arrived(arrived.session(), nothingAtTheEnd(barrier.number()))
                    : event)),
    /** 3: a block of a resync is written once more, over a newer write. */
    STALE_RESYNC_BLOCK_APPLIED("differ|no prefix", StaleBlocks::new),
    /** 6, told falsely: a start is taken for a write without the peer. */
    GENERATION_MINTED_EARLY("one side took no write without the other", MintedEarly::new),
    /** 6: a new generation is never durable, so a crash takes it back. */
    GENERATION_NOT_PERSISTED(
            "both were written|lacks the answered writes|differ|split brain|at the end",
            () -> doing((host, effect) -> Optional.of(
                    effect instanceof LiveEffect.Persist persist
                            ? new LiveEffect.Persist(
                                    persist.ticket(),
                                    persist.superblock().map(each -> withOld(host, each)),
                                    persist.pages(),
                                    persist.transaction())
                            : effect))),
    /** 5: a primary goes on answering after its lease, and asks nobody. */
    TWO_PRIMARIES("two primaries answer|lacks the answered writes", LeaseForEver::new),
    /** 2 and 5: whoever gives out leases is not told that the peer is behind. */
    PEER_NOT_OUTDATED("lacks the answered writes", () -> doing(PlantedBug::untold)),
    /** 3: after a crash nobody asks what was under way. */
    ACTIVITY_LOG_NOT_READ("differ|no prefix|lacks", () -> new LiveFault() {
        @Override
        public boolean readsActivityLog() {
            return false;
        }
    }),
    /** 1: a client's flush is answered before anything is flushed. */
    FLUSH_ANSWERED_EARLY(
            "which was flushed|no prefix",
            () -> sayingMore((host, event) -> event instanceof LiveEvent.Flush flush && host.isPrimary()
                    ? Optional.of(new LiveEffect.Answer(flush.request()))
                    : Optional.empty())),
    /** 1: nobody looks at FUA. */
    FUA_IGNORED(
            "which was flushed",
            () -> hearing((_, event) -> event instanceof LiveEvent.Write write
                    ? new LiveEvent.Write(write.request(), write.offset(), write.length(), write.data(), false)
                    : event)),
    /** What a resync overwrites is not kept before. */
    CONTENT_NOT_KEPT(
            "has not kept it",
            () -> doing((host, effect) -> {
                if (effect instanceof LiveEffect.KeepVolume keep) {
                    host.soon(0, new LiveEvent.Kept(keep.work()));
                    return Optional.empty();
                }
                return Optional.of(effect);
            })),
    /** Who gives up its content has it again after a crash, and a resync copies less than all. */
    GIVEN_UP_IN_MEMORY(
            "has it still",
            () -> doing((host, effect) -> Optional.of(
                    effect instanceof LiveEffect.Persist persist
                            ? new LiveEffect.Persist(
                                    persist.ticket(),
                                    persist.superblock().map(each -> withContent(host, each)),
                                    persist.pages(),
                                    persist.transaction())
                            : effect))),
    /** Both take one of them for the one that has changed more, whatever they have changed. */
    CHANGES_NOT_COUNTED(
            "is kept after a split brain",
            () -> hearing((host, event) ->
                    event instanceof LiveEvent.Arrived arrived && arrived.message() instanceof LiveMessage.Hello hello
                            ? new LiveEvent.Arrived(arrived.session(), withChanges(hello, host.side() * Long.MAX_VALUE))
                            : event)),
    /** A verify takes all that it reads for the same. */
    VERIFY_IS_BLIND(
            "that differ \\(",
            () -> hearing((host, event) -> event instanceof LiveEvent.DigestsRead read && isInStep(host)
                    ? new LiveEvent.DigestsRead(read.work(), nothing((CellDigests) read.digests()))
                    : event)),
    /** Digests are of another time than the peer's: what was written between is taken for a difference. */
    DIGESTS_ARE_OLD("and only", OldDigests::new),
    /** The target of a resync takes what it was asked to compare for the same. */
    COMPARED_BLINDLY(
            "differ|no prefix|lacks",
            () -> doing((host, effect) -> Optional.of(
                    effect instanceof LiveEffect.Send send
                                    && send.message() instanceof LiveMessage.Differing differing
                                    && host.status().replication() == ReplicationState.SYNC_TARGET
                            ? new LiveEffect.Send(
                                    send.session(), new LiveMessage.Differing(differing.number(), List.of()))
                            : effect))),
    /** 2: an old read comes back. */
    STALE_READ(
            "had been answered",
            () -> doing((_, effect) -> Optional.of(
                    effect instanceof LiveEffect.AnswerRead answer
                            ? new LiveEffect.AnswerRead(answer.request(), new Cells(Map.of()))
                            : effect)));

    private final String seen;

    @SuppressWarnings("ImmutableEnumChecker") // it makes a new one each time and holds nothing
    private final Supplier<LiveFault> fault;

    PlantedBug(String seen, Supplier<LiveFault> fault) {
        this.seen = seen;
        this.fault = fault;
    }

    /** What the check that sees it says: a regular expression that is found in it. */
    String seen() {
        return seen;
    }

    LiveFault fault() {
        return fault.get();
    }

    /** Each event is heard as another. */
    private static LiveFault hearing(BiFunction<LiveHost, LiveEvent, LiveEvent> changed) {
        return new LiveFault() {
            @Override
            public List<LiveEvent> events(LiveHost host, LiveEvent event) {
                return List.of(changed.apply(host, event));
            }
        };
    }

    /** After an event's own effects comes another. */
    private static LiveFault sayingMore(BiFunction<LiveHost, LiveEvent, Optional<LiveEffect>> more) {
        return new LiveFault() {
            @Override
            public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
                var all = new ArrayList<>(effects);
                more.apply(host, event).ifPresent(all::add);
                return all;
            }
        };
    }

    /** In place of an effect another is carried out, or none. */
    private static LiveFault doing(BiFunction<LiveHost, LiveEffect, Optional<LiveEffect>> changed) {
        return new LiveFault() {
            @Override
            public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
                return effects.stream()
                        .flatMap(effect -> changed.apply(host, effect).stream())
                        .toList();
            }
        };
    }

    private static Superblock withOld(LiveHost host, Superblock each) {
        var old = host.store().superblock().generations();
        return new Superblock(
                old.current().isPresent() && each.generations().current().isPresent() ? old : each.generations(),
                each.isConsistent(),
                each.isOutdated(),
                each.wasPrimary());
    }

    private static Superblock withContent(LiveHost host, Superblock each) {
        var old = host.store().superblock();
        boolean isGivenUp = old.generations().current().isPresent()
                && each.generations().current().isEmpty();
        return isGivenUp ? old : each;
    }

    /** Where nothing else is written. */
    private static LiveMessage nothingAtTheEnd(long number) {
        return new LiveMessage.Write(number, LiveWorld.SIZE_BYTES, 0, new Cells(Map.of()));
    }

    private static LiveMessage.Hello withChanges(LiveMessage.Hello hello, long blocks) {
        return new LiveMessage.Hello(
                hello.id(),
                hello.sizeBytes(),
                hello.protocol(),
                hello.generations(),
                hello.role(),
                hello.differs(),
                hello.isConsistent(),
                hello.yields(),
                new LiveMessage.Apart(
                        blocks, hello.apart().since(), hello.apart().policy()));
    }

    private static Optional<LiveEffect> untold(LiveHost host, LiveEffect effect) {
        if (effect instanceof LiveEffect.TellOutdated told) {
            host.soon(0, new LiveEvent.OutdatedTold(told.generation()));
            return Optional.empty();
        }
        return Optional.of(effect);
    }

    private static boolean isInStep(LiveHost host) {
        return host.status().replication() == ReplicationState.ESTABLISHED;
    }

    private static CellDigests nothing(CellDigests digests) {
        return new CellDigests(new Cells(Map.of()), digests.lengthBytes());
    }

    private static final class OldDigests implements LiveFault {
        private final Map<Long, LiveEffect.ReadDigests> asked = new HashMap<>();
        private final Map<Long, CellDigests> first = new HashMap<>();

        @Override
        public List<LiveEvent> events(LiveHost host, LiveEvent event) {
            if (!host.isPrimary() || !isInStep(host) || !(event instanceof LiveEvent.DigestsRead read)) {
                return List.of(event);
            }
            var of = asked.get(read.work());
            var old =
                    of == null ? read.digests() : first.computeIfAbsent(of.offset(), _ -> (CellDigests) read.digests());
            return List.of(new LiveEvent.DigestsRead(read.work(), old));
        }

        @Override
        public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
            effects.forEach(effect -> {
                if (host.isPrimary() && effect instanceof LiveEffect.ReadDigests read) {
                    asked.put(read.work(), read);
                }
            });
            return effects;
        }
    }

    private static final class StaleBlocks implements LiveFault {
        private final List<LiveMessage.Block> blocks = new ArrayList<>();

        @Override
        public List<LiveEvent> events(LiveHost host, LiveEvent event) {
            if (event instanceof LiveEvent.Arrived arrived) {
                switch (arrived.message()) {
                    case LiveMessage.Block block when block.length() < 1 << 20 -> blocks.add(block);
                    case LiveMessage.Write write -> again(host, write);
                    default -> {}
                }
            }
            return List.of(event);
        }

        private void again(LiveHost host, LiveMessage.Write write) {
            blocks.stream()
                    .filter(block -> block.offset() < write.offset() + write.length()
                            && write.offset() < block.offset() + block.length())
                    .findFirst()
                    .ifPresent(block -> host.behindItsBack(
                            30_000, () -> host.disk().write(block.offset(), block.length(), (Cells) block.data())));
        }
    }

    private static final class MintedEarly implements LiveFault {
        private long minted;

        @Override
        public void starts(LiveHost host) {
            var before = host.store().superblock();
            if (before.generations().current().isPresent()) {
                var fresh = new Generation(++minted << 8 | (host.side() + 1));
                var after = before.generations().written(Set.of(host.settings().peer()), fresh);
                host.store()
                        .replace(
                                new Superblock(after, before.isConsistent(), before.isOutdated(), before.wasPrimary()));
            }
        }
    }

    private static final class LeaseForEver implements LiveFault {
        @Override
        public List<LiveEvent> events(LiveHost host, LiveEvent event) {
            return List.of(
                    switch (event) {
                        case LiveEvent.LeaseRenewed renewed -> new LiveEvent.LeaseRenewed(forEver(renewed.lease()));
                        case LiveEvent.Promote promote ->
                            new LiveEvent.Promote(promote.request(), forEver(promote.lease()));
                        default -> event;
                    });
        }

        @Override
        public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
            return doing(PlantedBug::untold).effects(host, event, effects);
        }

        private static Lease forEver(Lease lease) {
            return new Lease(lease.token(), lease.until() + 10_000_000 * LiveHost.NANOS);
        }
    }
}
