package io.tidemark.simulation.live;

import io.tidemark.replication.live.Generation;
import io.tidemark.replication.live.Lease;
import io.tidemark.replication.live.LiveEffect;
import io.tidemark.replication.live.LiveEvent;
import io.tidemark.replication.live.LiveMessage;
import io.tidemark.replication.live.LiveMessage.Numbered;
import io.tidemark.replication.live.Superblock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** One rule each is broken between a copy and its world; which invariant's check should see it stands beside. */
enum PlantedBug {
    /** 1: what is answered is lost. */
    WRITE_ACKNOWLEDGED_EARLY("which was flushed|lacks the answered writes|had been answered|no prefix") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
                    return event instanceof LiveEvent.Write write && host.isPrimary()
                            ? with(effects, new LiveEffect.Answer(write.request()))
                            : effects;
                }
            };
        }
    },
    /** 1: the peer says that it is durable what is only in its memory. */
    CONFIRMED_BEFORE_DURABLE("which was flushed|lacks the answered writes|no prefix|differ") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
                    return event instanceof LiveEvent.Arrived arrived && arrived.message() instanceof Numbered numbered
                            ? with(
                                    effects,
                                    new LiveEffect.Send(arrived.session(), new LiveMessage.Durable(numbered.number())))
                            : effects;
                }
            };
        }
    },
    /** 3: a dirty bit goes when its block is sent, not when it is durable at the target. */
    BIT_CLEARED_EARLY("lacks the answered writes|differ|no prefix") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
                    for (var effect : effects) {
                        if (effect instanceof LiveEffect.Send send
                                && send.message() instanceof LiveMessage.Block block) {
                            var told = new LiveMessage.Durable(block.number());
                            host.soon(0, new LiveEvent.Arrived(send.session(), told));
                        }
                    }
                    return effects;
                }
            };
        }
    },
    /** 4: what comes after a barrier is written before what came before it. */
    BARRIER_CROSSED("no prefix") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public List<LiveEvent> events(LiveHost host, LiveEvent event) {
                    return event instanceof LiveEvent.Arrived arrived
                                    && arrived.message() instanceof LiveMessage.Barrier barrier
                            ? List.of(new LiveEvent.Arrived(
                                    arrived.session(),
                                    new LiveMessage.Write(barrier.number(), 0, 0, new Cells(Map.of()))))
                            : List.of(event);
                }
            };
        }
    },
    /** 3: a block of a resync is written once more, over a newer write. */
    STALE_RESYNC_BLOCK_APPLIED("differ|no prefix") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                private final List<LiveMessage.Block> blocks = new ArrayList<>();

                @Override
                public List<LiveEvent> events(LiveHost host, LiveEvent event) {
                    if (event instanceof LiveEvent.Arrived arrived) {
                        if (arrived.message() instanceof LiveMessage.Block block && block.length() < 1 << 20) {
                            blocks.add(block);
                        }
                        if (arrived.message() instanceof LiveMessage.Write write) {
                            blocks.stream()
                                    .filter(block -> block.offset() < write.offset() + write.length()
                                            && write.offset() < block.offset() + block.length())
                                    .findFirst()
                                    .ifPresent(block -> host.behindItsBack(
                                            30_000,
                                            () -> host.disk()
                                                    .write(block.offset(), block.length(), (Cells) block.data())));
                        }
                    }
                    return List.of(event);
                }
            };
        }
    },
    /** 6, told falsely: a start is taken for a write without the peer. */
    GENERATION_MINTED_EARLY("one side took no write without the other") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                private long minted;

                @Override
                public void starts(LiveHost host) {
                    var before = host.store().superblock();
                    if (before.generations().current().isPresent()) {
                        var after = before.generations()
                                .written(
                                        Set.of(host.settings().peer()),
                                        new Generation(++minted << 8 | host.side() + 1));
                        host.store()
                                .replace(new Superblock(
                                        after, before.isConsistent(), before.isOutdated(), before.wasPrimary()));
                    }
                }
            };
        }
    },
    /** 6: a new generation is never durable, so a crash takes it back. */
    GENERATION_NOT_PERSISTED("both were written|lacks the answered writes|differ|split brain|at the end") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
                    var changed = new ArrayList<LiveEffect>();
                    for (var effect : effects) {
                        changed.add(
                                effect instanceof LiveEffect.Persist persist
                                                && persist.superblock().isPresent()
                                        ? new LiveEffect.Persist(
                                                persist.ticket(),
                                                persist.superblock().map(each -> withOld(host, each)),
                                                persist.pages(),
                                                persist.transaction())
                                        : effect);
                    }
                    return changed;
                }

                private Superblock withOld(LiveHost host, Superblock each) {
                    var old = host.store().superblock().generations();
                    return new Superblock(
                            old.current().isPresent() ? old : each.generations(),
                            each.isConsistent(),
                            each.isOutdated(),
                            each.wasPrimary());
                }
            };
        }
    },
    /** 5: a primary goes on answering after its lease, and asks nobody. */
    TWO_PRIMARIES("two primaries answer|lacks the answered writes") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public List<LiveEvent> events(LiveHost host, LiveEvent event) {
                    return List.of(
                            switch (event) {
                                case LiveEvent.LeaseRenewed renewed ->
                                    new LiveEvent.LeaseRenewed(forEver(renewed.lease()));
                                case LiveEvent.Promote promote ->
                                    new LiveEvent.Promote(promote.request(), forEver(promote.lease()));
                                default -> event;
                            });
                }

                @Override
                public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
                    return untold(host, effects);
                }
            };
        }
    },
    /** 2 and 5: whoever gives out leases is not told that the peer is behind. */
    PEER_NOT_OUTDATED("lacks the answered writes") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
                    return untold(host, effects);
                }
            };
        }
    },
    /** 3: after a crash nobody asks what was under way. */
    ACTIVITY_LOG_NOT_READ("differ|no prefix|lacks") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public boolean readsActivityLog() {
                    return false;
                }
            };
        }
    },
    /** 1: a client's flush is answered before anything is flushed. */
    FLUSH_ANSWERED_EARLY("which was flushed|no prefix") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
                    return event instanceof LiveEvent.Flush flush && host.isPrimary()
                            ? with(effects, new LiveEffect.Answer(flush.request()))
                            : effects;
                }
            };
        }
    },
    /** 1: nobody looks at FUA. */
    FUA_IGNORED("which was flushed") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public List<LiveEvent> events(LiveHost host, LiveEvent event) {
                    return List.of(
                            event instanceof LiveEvent.Write write
                                    ? new LiveEvent.Write(
                                            write.request(), write.offset(), write.length(), write.data(), false)
                                    : event);
                }
            };
        }
    },
    /** 2: an old read comes back. */
    STALE_READ("had been answered") {
        @Override
        LiveFault fault() {
            return new LiveFault() {
                @Override
                public List<LiveEffect> effects(LiveHost host, LiveEvent event, List<LiveEffect> effects) {
                    var changed = new ArrayList<LiveEffect>();
                    for (var effect : effects) {
                        changed.add(
                                effect instanceof LiveEffect.AnswerRead answer
                                        ? new LiveEffect.AnswerRead(answer.request(), new Cells(Map.of()))
                                        : effect);
                    }
                    return changed;
                }
            };
        }
    };

    private final String seen;

    PlantedBug(String seen) {
        this.seen = seen;
    }

    /** What the check that sees it says: a regular expression that is found in it. */
    String seen() {
        return seen;
    }

    abstract LiveFault fault();

    private static Lease forEver(Lease lease) {
        return new Lease(lease.token(), lease.until() + 10_000_000);
    }

    private static List<LiveEffect> untold(LiveHost host, List<LiveEffect> effects) {
        var changed = new ArrayList<LiveEffect>();
        for (var effect : effects) {
            if (effect instanceof LiveEffect.TellOutdated told) {
                host.soon(0, new LiveEvent.OutdatedTold(told.generation()));
            } else {
                changed.add(effect);
            }
        }
        return changed;
    }

    private static List<LiveEffect> with(List<LiveEffect> effects, LiveEffect another) {
        var all = new ArrayList<>(effects);
        all.add(another);
        return all;
    }
}
