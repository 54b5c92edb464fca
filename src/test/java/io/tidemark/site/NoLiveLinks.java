package io.tidemark.site;

import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;

/** A host whose live links do nothing. */
final class NoLiveLinks implements LiveHost {
    final List<Live> links = new CopyOnWriteArrayList<>();
    /** What happens elsewhere while a link is made. */
    volatile Runnable meanwhile = () -> {};

    final List<Unread> unread = new CopyOnWriteArrayList<>();

    @Override
    public void create(Link link, boolean isOverwriting) {
        meanwhile.run();
        links.add(new Live(
                link,
                Optional.empty(),
                "",
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                Traffic.NONE,
                Map.of()));
    }

    @Override
    public List<Live> all() {
        return List.copyOf(links);
    }

    @Override
    public List<Unread> unread() {
        return List.copyOf(unread);
    }

    @Override
    public List<Change> changes(LinkId id) {
        return List.of(new Change(7, Instant.EPOCH, Aspect.ROLE, "SECONDARY", "PRIMARY"));
    }

    @Override
    public Optional<Live> find(LinkId id) {
        return links.stream().filter(each -> each.link().id().equals(id)).findFirst();
    }

    @Override
    public void promote(LinkId id, boolean isForced) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void demote(LinkId id, boolean isForced) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void resolve(LinkId id, boolean isLocalKept) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void invalidate(LinkId id, boolean isPeers) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void verify(LinkId id) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void stopVerify(LinkId id) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void change(LinkId id, Terms terms) {
        links.replaceAll(each -> !each.link().id().equals(id)
                ? each
                : new Live(
                        each.link().with(terms),
                        each.status(),
                        each.why(),
                        each.export(),
                        each.peerAddress(),
                        each.kept(),
                        each.figures(),
                        each.traffic(),
                        each.changes()));
    }

    @Override
    public void reconnect(LinkId id) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void remove(LinkId id) {
        throw new UnsupportedOperationException();
    }
}
