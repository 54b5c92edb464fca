package io.tidemark.replication.live;

import io.tidemark.replication.live.DirtyBitmap.Run;
import io.tidemark.replication.live.Handshake.Extent;
import io.tidemark.replication.live.Handshake.Side;
import io.tidemark.replication.live.Handshake.Verdict;
import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** How two copies meet: what each says of itself, and what follows for both. Neither writes meanwhile. */
final class Meeting {
    private static final String KEEPING = "this copy is kept as it is before it is overwritten: it is to be met again";

    private final Desk desk;
    private final PrimaryPath primary;
    private final SecondaryPath secondary;
    private final ResyncSource resync;

    private Optional<LiveMessage.Hello> said = Optional.empty();
    private Optional<LiveMessage.Hello> heard = Optional.empty();
    private long saidAt;
    private boolean isPeerEmpty;
    /** This side, or the peer, has said that it has dirty bits of a verify. */
    private boolean isMarked;

    private boolean isOpen;

    private boolean isKeptForGood;
    private GivingUp givingUp = isCovered -> false;
    /** The volume was kept, and was not written since: the next resync may overwrite it. */
    private boolean isKept;

    private Role peerRole = Role.SECONDARY;
    private Optional<String> alone = Optional.empty();
    private final Choice choice;

    Meeting(Desk desk, PrimaryPath primary, SecondaryPath secondary, ResyncSource resync, Chosen chosen) {
        this.desk = desk;
        this.primary = primary;
        this.secondary = secondary;
        this.resync = resync;
        choice = new Choice(desk, chosen);
    }

    /** Whether this side has told what it is, and does not know yet what follows. */
    boolean isUnderWay() {
        return isOpen && said.isPresent();
    }

    Optional<String> whyAlone() {
        return alone;
    }

    /** Both were written without the other, and are not in step again. */
    boolean isSplitBrain() {
        return choice.apart().isPresent();
    }

    Optional<LiveFigures.Apart> apart() {
        return choice.apart();
    }

    void connected(long session) {
        desk.session.ifPresent(this::lost);
        if (alone.isPresent() || desk.keeping != 0) {
            desk.emit(new LiveEffect.Disconnect(session, alone.orElse(KEEPING)));
            return;
        }
        desk.begin(session);
        secondary.begun();
        open();
        desk.replication = ReplicationState.MEETING;
    }

    private void open() {
        isOpen = true;
        said = Optional.empty();
    }

    void outOfSync() {
        isMarked = true;
    }

    /** Within a session: this copy is not what it said it was. */
    void again() {
        if (desk.session.isPresent()) {
            open();
            desk.replication = ReplicationState.MEETING;
        }
    }

    void lost(long session) {
        if (desk.session.isEmpty() || desk.session.getAsLong() != session) {
            return;
        }
        desk.session = OptionalLong.empty();
        desk.replication = alone.isPresent() ? ReplicationState.STAND_ALONE : ReplicationState.OFF;
        isOpen = false;
        said = Optional.empty();
        heard = Optional.empty();
        isMarked = false;
        peerRole = Role.SECONDARY;
        isPeerEmpty = false;
        primary.lost();
        resync.lost();
        secondary.drain();
        secondary.stopComparing();
    }

    void disconnect(String why) {
        if (desk.session.isPresent()) {
            long session = desk.session.getAsLong();
            desk.emit(new LiveEffect.Disconnect(session, why));
            lost(session);
        }
    }

    void peerRole(Role role) {
        peerRole = role;
        if (role == Role.PRIMARY && desk.role == Role.PRIMARY) {
            disconnect("both are primary");
        }
    }

    void hello(LiveMessage.Hello hello) {
        heard = Optional.of(hello);
        if (!isOpen) {
            open();
        }
    }

    /** A peer that is connected and says nothing does not hold this side's writes for ever. */
    void tick() {
        if (isUnderWay() && desk.now - saidAt > desk.settings.patience()) {
            disconnect("the peer did not say what it is within %d".formatted(desk.settings.patience()));
        }
    }

    /**
     * Keeps the volume as it is, without a session: however long that takes, the peer goes on alone meanwhile.
     */
    void keep(boolean isGivenUp) {
        disconnect(KEEPING);
        isKeptForGood = isGivenUp;
        desk.keeping = desk.nextWork();
        desk.isKeepDue = true;
    }

    /** Somebody may have asked that the content be given up. */
    interface GivingUp {
        /**
         * The two have met, and nothing was written since the volume was kept.
         *
         * @param isCovered the peer is primary, and has all that this copy has
         * @return whether it is given up
         */
        boolean meets(boolean isCovered);
    }

    void givesUp(GivingUp asked) {
        givingUp = asked;
    }

    /** The volume is as it was kept no more. */
    void written() {
        isKept = false;
    }

    void advance() {
        if (desk.replication == ReplicationState.ESTABLISHED) {
            choice.inStep();
            desk.isCounted |= !desk.isMarked;
        }
        if (desk.isKeepDue && secondary.isIdle()) {
            desk.isKeepDue = false;
            desk.emit(new LiveEffect.KeepVolume(desk.keeping, isKeptForGood));
        }
        // The one that ran ahead: all that was sent has been confirmed, and the peer is to be followed up.
        if (desk.replication == ReplicationState.AHEAD && primary.hasDrained() && !isOpen) {
            open();
        }
        if (isOpen && said.isEmpty() && isQuiet()) {
            var hello = new LiveMessage.Hello(
                    desk.settings.self(),
                    desk.settings.sizeBytes(),
                    desk.settings.protocol(),
                    desk.metadata.wanted().generations(),
                    desk.role,
                    desk.differs,
                    desk.metadata.wanted().isConsistent(),
                    choice.yields(),
                    choice.mine());
            said = Optional.of(hello);
            saidAt = desk.now;
            if (desk.isMarked && desk.metadata.bitmap.dirtyBlocks() > 0) {
                isMarked = true;
                desk.send(new LiveMessage.OutOfSync());
            }
            desk.send(hello);
        }
        if (said.isPresent() && heard.isPresent()) {
            var mine = said.get();
            var theirs = heard.get();
            isOpen = false;
            said = Optional.empty();
            heard = Optional.empty();
            peerRole = theirs.role();
            isPeerEmpty = theirs.generations().current().isEmpty();
            decide(mine, theirs);
            isMarked = false;
        }
    }

    private boolean isQuiet() {
        return secondary.isIdle() && desk.metadata.isSettled() && desk.keeping == 0;
    }

    private void decide(LiveMessage.Hello mine, LiveMessage.Hello theirs) {
        var settings = desk.settings;
        if (!theirs.id().equals(settings.peer())) {
            standAlone("the peer is %s, not %s".formatted(theirs.id(), settings.peer()));
        } else if (theirs.sizeBytes() != settings.sizeBytes()) {
            standAlone(
                    "the peer's volume has %d bytes, this one %d".formatted(theirs.sizeBytes(), settings.sizeBytes()));
        } else if (theirs.protocol() != settings.protocol()) {
            // One of them has not been told yet that this was changed.
            disconnect("the peer replicates by protocol %s, this copy by %s"
                    .formatted(theirs.protocol(), settings.protocol()));
        } else {
            follow(choice.byPolicy(verdict(mine, theirs), mine, theirs), mine, theirs);
        }
    }

    private Verdict verdict(LiveMessage.Hello mine, LiveMessage.Hello theirs) {
        var verdict = Handshake.decide(side(mine), side(theirs));
        if (verdict instanceof Verdict.InStep) {
            return ofOneGeneration(mine, theirs);
        }
        return choice.byWord(verdict, mine, theirs);
    }

    /** What a verify has found is repaired; so is a copy that such a repair has left torn, when nobody knows any more where. */
    private Verdict ofOneGeneration(LiveMessage.Hello mine, LiveMessage.Hello theirs) {
        boolean isOneTorn = mine.isConsistent() != theirs.isConsistent();
        if (!isOneTorn && !(isMarked && mine.isConsistent())) {
            return new Verdict.InStep();
        }
        var extent = isMarked ? Extent.BITMAP : Extent.FULL;
        boolean isSource = isOneTorn ? mine.isConsistent() : isFirst(mine, theirs);
        return isSource ? new Verdict.Source(extent) : new Verdict.Target(extent);
    }

    /** Of two that differ for no write's sake: a primary's content is what its clients have read. */
    private static boolean isFirst(LiveMessage.Hello mine, LiveMessage.Hello theirs) {
        return mine.role() == theirs.role() ? mine.id().compareTo(theirs.id()) < 0 : mine.role() == Role.PRIMARY;
    }

    /** What a torn copy had under way when it died as primary is overwritten in part already: it is no source. */
    private static Side side(LiveMessage.Hello hello) {
        boolean isCrashedPrimary = hello.differs() && hello.isConsistent();
        return new Side(hello.id(), hello.generations(), isCrashedPrimary, hello.role() == Role.PRIMARY);
    }

    private void follow(Verdict verdict, LiveMessage.Hello mine, LiveMessage.Hello theirs) {
        boolean isFromTorn = (verdict instanceof Verdict.Source && !mine.isConsistent())
                || (verdict instanceof Verdict.Target && !theirs.isConsistent())
                || (verdict instanceof Verdict.InStep && !(mine.isConsistent() && theirs.isConsistent()));
        if (isFromTorn) {
            standAlone("the newer copy is inconsistent: a resync into it has not ended");
            return;
        }
        if (desk.role == Role.PRIMARY && theirs.role() == Role.PRIMARY && !(verdict instanceof Verdict.SplitBrain)) {
            standAlone("both are primary: demote one");
            return;
        }
        boolean isCovered = (verdict instanceof Verdict.InStep || verdict instanceof Verdict.Target)
                && theirs.role() == Role.PRIMARY
                && isKept;
        if (givingUp.meets(isCovered)) {
            disconnect("this copy's content was given up: it is to be met again, and copied in full");
            return;
        }
        act(verdict, theirs);
        choice.followed();
    }

    private void act(Verdict verdict, LiveMessage.Hello theirs) {
        switch (verdict) {
            case Verdict.InStep inStep -> inStep();
            case Verdict.Source source -> source(source.extent(), theirs);
            case Verdict.Target target -> target(target.extent(), theirs);
            case Verdict.SplitBrain split ->
                standAlone("split brain: both were written without the other"
                        + (choice.why().isEmpty() ? "" : ", and " + choice.why()));
            case Verdict.Unrelated unrelated -> standAlone("the peer's is a copy of another volume");
        }
    }

    private void inStep() {
        var metadata = desk.metadata;
        metadata.bitmap.clear(0, desk.settings.sizeBytes());
        // Its generation was durable when it said so: it lacks nothing since an older one, whatever it missed the end
        // of.
        var now = metadata.wanted();
        metadata.want(
                now.with(now.generations().inStepWith(desk.settings.peer())).outdated(false));
        desk.isMarked = false;
        isKept = false;
        desk.replication = ReplicationState.ESTABLISHED;
        desk.isShared = true;
        if (desk.role == Role.PRIMARY) {
            primary.caughtUp();
        }
    }

    private void source(Extent extent, LiveMessage.Hello theirs) {
        if (theirs.role() == Role.PRIMARY) {
            disconnect("this copy is newer than the primary's");
            return;
        }
        if (extent == Extent.FULL) {
            desk.metadata.bitmap.mark(0, desk.settings.sizeBytes());
            desk.isCounted = false;
        }
        isKept = false;
        desk.replication = ReplicationState.SYNC_SOURCE;
        resync.begin();
    }

    private void target(Extent extent, LiveMessage.Hello theirs) {
        if (desk.role == Role.PRIMARY) {
            standAlone("the peer is newer than this primary: demote this copy");
            return;
        }
        var before = desk.metadata.wanted();
        boolean isKeptEnough = isKept && (isKeptForGood || !choice.yields());
        if (before.isConsistent() && before.generations().current().isPresent() && !isKeptEnough) {
            keep(choice.yields());
            return;
        }
        isKept = false;
        // No dirty bits tell what is torn: whatever happens, the next resync is a full one too.
        boolean isLost = extent == Extent.FULL
                && theirs.generations()
                        .current()
                        .equals(desk.metadata.wanted().generations().current());
        overwritten(choice.yields(), isLost, theirs);
        desk.replication = ReplicationState.SYNC_TARGET;
        var runs = extent == Extent.FULL ? List.<Run>of() : desk.metadata.bitmap.runs(Integer.MAX_VALUE);
        for (int from = 0; from == 0 || from < runs.size(); from += LiveMessage.Dirty.RUNS_MAXIMUM) {
            int end = Math.min(runs.size(), from + LiveMessage.Dirty.RUNS_MAXIMUM);
            desk.send(new LiveMessage.Dirty(runs.subList(from, end), end == runs.size()));
        }
    }

    /** The volume as it was is kept, or was not worth it. */
    void kept(long work) {
        if (work == desk.keeping) {
            desk.keeping = 0;
            isKept = true;
        }
    }

    private void overwritten(boolean isGivenUp, boolean isLost, LiveMessage.Hello theirs) {
        var metadata = desk.metadata;
        var now = metadata.wanted().consistent(false);
        if (isGivenUp) {
            // What this side alone has is given up, and its dirty bits say where: a resync that is cut off goes on.
            var generations = now.generations().yieldedTo(desk.settings.self(), theirs.generations(), theirs.id());
            now = now.with(generations).primary(false);
            desk.differs = false;
            metadata.wantBitmap();
        }
        if (isLost) {
            now = now.with(Generations.none());
        }
        metadata.want(now);
    }

    private void standAlone(String why) {
        alone = Optional.of(why);
        disconnect(why);
        desk.replication = ReplicationState.STAND_ALONE;
    }

    void resolve(LiveEvent.Resolve asked) {
        boolean isToYield = choice.yields() && desk.session.isEmpty();
        if (alone.isEmpty() && !isToYield) {
            desk.emit(new LiveEffect.Refuse(asked.request(), "this copy does not stand alone"));
        } else if (!asked.isKept() && desk.role == Role.PRIMARY) {
            desk.emit(new LiveEffect.Refuse(asked.request(), "a primary cannot yield: demote it first"));
        } else {
            alone = Optional.empty();
            choice.said(asked.isKept());
            if (asked.isKept()) {
                // Nothing overwrites it now: whoever keeps it may do so for ever, as where its storage is full.
                desk.keeping = 0;
                desk.isKeepDue = false;
            }
            desk.replication = ReplicationState.OFF;
            desk.emit(new LiveEffect.Answer(asked.request()));
        }
    }

    /** As far as it has told. */
    boolean isPeerPrimary() {
        return desk.session.isPresent() && peerRole == Role.PRIMARY;
    }

    /** Why this copy may not become primary now; empty where it may. */
    Optional<String> refusalToPromote() {
        var kept = desk.metadata.wanted();
        if (desk.role == Role.PRIMARY) {
            return Optional.of("this copy is primary already");
        }
        if (!kept.isConsistent()) {
            return Optional.of("this copy is inconsistent: a resync into it has not ended");
        }
        if (kept.isOutdated()) {
            return Optional.of("this copy is outdated: another was written without it");
        }
        if (choice.yields()) {
            return Optional.of("this copy was told to yield: let it meet its peer, or resolve again to keep its own");
        }
        if (kept.generations().current().isEmpty() && !isPeerEmpty) {
            return Optional.of("this copy has no content yet: let it meet its peer first");
        }
        return isPeerPrimary() ? Optional.of("the peer is primary: demote it first") : Optional.empty();
    }
}
