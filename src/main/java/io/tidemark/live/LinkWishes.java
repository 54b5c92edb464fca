package io.tidemark.live;

import io.tidemark.control.port.LiveHost;
import java.io.IOException;
import java.util.function.UnaryOperator;

/** What is wished of a link, in its folder and in memory. Several threads wish: each changes what the others have left. */
final class LinkWishes {
    private final LinkFolder folder;
    private volatile LiveHost.Link link;
    private volatile LinkFolder.Wishes now;

    LinkWishes(LinkFolder folder, LinkFolder.Found found) {
        this.folder = folder;
        this.link = found.link();
        this.now = found.wishes();
    }

    LiveHost.Link link() {
        return link;
    }

    /** Durable on return; nothing has changed where it fails. */
    synchronized void change(LiveHost.Terms terms) throws IOException {
        var changed = link.with(terms);
        folder.write(changed, now);
        link = changed;
    }

    LinkFolder.Wishes now() {
        return now;
    }

    /** Durable on return; nothing has changed where it fails. */
    synchronized void change(UnaryOperator<LinkFolder.Wishes> change) throws IOException {
        var changed = change.apply(now);
        if (!changed.equals(now)) {
            folder.write(link, changed);
            now = changed;
        }
    }
}
