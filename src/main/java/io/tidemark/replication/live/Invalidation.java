package io.tidemark.replication.live;

import io.tidemark.replication.live.LiveStatus.ReplicationState;
import io.tidemark.replication.live.LiveStatus.Role;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A secondary's content is given up: kept as it was, then of no moment and no generation, and met again as one that lacks
 * all. Only beside a primary: of two secondaries that are asked at once neither would be left.
 */
final class Invalidation {
    private final Desk desk;
    private final Meeting meeting;
    private OptionalLong request = OptionalLong.empty();
    private Stage stage = Stage.NONE;

    private enum Stage {
        NONE,
        /** Without a session; then for the peer, which must still be primary. */
        KEEPING,
        /** Until it is durable that there is no content. */
        GIVING_UP
    }

    Invalidation(Desk desk, Meeting meeting) {
        this.desk = desk;
        this.meeting = meeting;
        meeting.givesUp(this::meets);
    }

    void ask(LiveEvent.Invalidate asked) {
        var refusal = asked.isPeers() ? refusalOfPeers() : refusal();
        if (refusal.isPresent()) {
            desk.emit(new LiveEffect.Refuse(asked.request(), refusal.get()));
        } else if (asked.isPeers()) {
            desk.send(new LiveMessage.Ask(LiveMessage.Ask.What.INVALIDATE));
            desk.emit(new LiveEffect.Answer(asked.request()));
        } else {
            request = OptionalLong.of(asked.request());
            begin();
        }
    }

    /** The peer asks for it; where it cannot be, nothing is done. */
    void askedByPeer() {
        if (refusal().isEmpty()) {
            begin();
        }
    }

    private Optional<String> refusalOfPeers() {
        boolean isSafe = desk.role == Role.PRIMARY && desk.replication == ReplicationState.ESTABLISHED;
        return isSafe
                ? Optional.empty()
                : Optional.of(
                        "only a primary asks its peer to give up its content, and only one that is in step with it: "
                                + "this copy is %s, %s".formatted(desk.role, desk.replication));
    }

    private Optional<String> refusal() {
        if (desk.role == Role.PRIMARY) {
            return Optional.of("a primary's content is not given up: demote this copy and promote its peer first");
        }
        if (stage != Stage.NONE || desk.keeping != 0) {
            return Optional.of("this copy's content is being kept or given up already");
        }
        return isSafe()
                ? Optional.empty()
                : Optional.of("the peer is not there as a primary that is up to date (this copy is %s): "
                                .formatted(desk.replication)
                        + "connect and promote it first");
    }

    private boolean isSafe() {
        return desk.replication == ReplicationState.ESTABLISHED && meeting.isPeerPrimary();
    }

    private void begin() {
        meeting.keep(true);
        stage = Stage.KEEPING;
    }

    void advance() {
        if (stage != Stage.NONE && desk.role == Role.PRIMARY) {
            refuse("this copy was promoted before its content was given up");
        }
        if (stage == Stage.GIVING_UP && desk.metadata.isSettled()) {
            stage = Stage.NONE;
            request.ifPresent(asked -> desk.emit(new LiveEffect.Answer(asked)));
            request = OptionalLong.empty();
        }
    }

    private boolean meets(boolean isCovered) {
        if (stage != Stage.KEEPING) {
            return false;
        }
        if (!isCovered) {
            refuse("the peer is not primary any more, or lacks what this copy has: its content is not given up");
            return false;
        }
        stage = Stage.GIVING_UP;
        var metadata = desk.metadata;
        metadata.bitmap.mark(0, desk.settings.sizeBytes());
        metadata.wantBitmap();
        metadata.want(new Superblock(Generations.none(), false, false, false));
        desk.differs = false;
        return true;
    }

    void refuse(String why) {
        stage = Stage.NONE;
        request.ifPresent(asked -> desk.emit(new LiveEffect.Refuse(asked, why)));
        request = OptionalLong.empty();
    }
}
