package io.tidemark.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.ControlException;
import io.tidemark.control.CreateLink;
import io.tidemark.control.Intent;
import io.tidemark.control.ReverseLink;
import io.tidemark.control.SetLink;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.GroupId;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.domain.RateLimits;
import io.tidemark.domain.RateWindow;
import io.tidemark.domain.ReplicationLink;
import io.tidemark.spi.RecoveryPointId;
import io.tidemark.spi.VolumeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Optional;
import java.util.OptionalLong;

/** Invitations, peers and links. */
final class LinkEndpoints {
    private final SiteControl control;

    LinkEndpoints(SiteControl control) {
        this.control = control;
    }

    void addTo(Endpoints endpoints) {
        var inventory = control.inventory();
        endpoints.addOnceSecret("createInvitation", this::invite);
        endpoints.add(
                "listPeers",
                request -> Endpoints.page(inventory.peers(request.cursor(), request.limit()), Documents::peer));
        endpoints.addOnce("acceptInvitation", this::accept);
        endpoints.add("getPeer", request -> Answer.ok(Documents.peer(inventory.peer(peerInPath(request)))));
        endpoints.add("deletePeer", request -> {
            control.links().deletePeer().delete(peerInPath(request));
            return Answer.noContent();
        });
        endpoints.add(
                "listLinks",
                request -> Endpoints.page(inventory.links(request.cursor(), request.limit()), this::document));
        endpoints.addOnce("createLink", this::createLink);
        endpoints.add("getLink", request -> Answer.ok(document(inventory.link(linkInPath(request)))));
        endpoints.add("deleteLink", request -> {
            control.links().delete().delete(linkInPath(request));
            return Answer.noContent();
        });
        endpoints.addOnce(
                "syncLink",
                (request, intent) -> Endpoints.accepted(
                        control.links().sync().start(linkInPath(request), recoveryPoint(request), intent)));
        addControl(endpoints);
        endpoints.addOnce(
                "verifyLink",
                (request, intent) -> Endpoints.accepted(
                        control.links().verify().start(linkInPath(request), recoveryPoint(request), intent)));
    }

    private void addControl(Endpoints endpoints) {
        var cases = control.links();
        endpoints.add(
                "setLink", request -> Answer.ok(document(cases.set().set(linkInPath(request), settings(request)))));
        endpoints.add("pauseLink", request -> Answer.ok(document(cases.pause().pause(linkInPath(request)))));
        endpoints.addOnce(
                "resumeLink",
                (request, intent) -> Answer.ok(document(cases.resume().resume(linkInPath(request), intent))));
        endpoints.addOnce(
                "resyncLink",
                (request, intent) -> Endpoints.accepted(cases.resync()
                        .start(
                                linkInPath(request),
                                recoveryPoint(request),
                                request.body().path("overwriteTarget").booleanValue(),
                                intent)));
        endpoints.addOnce(
                "reverseLink",
                (request, intent) -> Endpoints.accepted(cases.reverse()
                        .start(linkInPath(request), ReverseLink.Mode.valueOf(request.text("mode")), intent)));
    }

    private static SetLink.Settings settings(ApiRequest request) throws ControlException {
        var every = request.body().get("everyMillis");
        var limit = request.optionalText("rateLimit");
        var rate = limit.isEmpty()
                ? OptionalLong.empty()
                : Endpoints.value("rateLimit", limit.orElseThrow(), RateWindow::rate);
        var windows = new ArrayList<RateWindow>();
        for (var window : request.body().path("rateWindows")) {
            windows.add(Endpoints.value("rateWindows", window.textValue(), RateWindow::parse));
        }
        return new SetLink.Settings(
                Optional.ofNullable(every).map(millis -> Duration.ofMillis(millis.longValue())),
                new RateLimits(rate, windows),
                request.body().path("onArrival").booleanValue());
    }

    private static PeerId peerInPath(ApiRequest request) throws ControlException {
        return Endpoints.value("peerId", request.inPath("peerId"), PeerId::new);
    }

    private static LinkId linkInPath(ApiRequest request) throws ControlException {
        return Endpoints.value("linkId", request.inPath("linkId"), LinkId::new);
    }

    private static Optional<RecoveryPointId> recoveryPoint(ApiRequest request) throws ControlException {
        var text = request.optionalText("recoveryPoint");
        return text.isEmpty()
                ? Optional.empty()
                : Optional.of(Endpoints.value("recoveryPoint", text.orElseThrow(), RecoveryPointId::new));
    }

    /** With its schedule. */
    private ObjectNode document(ReplicationLink link) {
        var document = Documents.link(link);
        if (link.role() == ReplicationLink.Role.SOURCE && link.every().isPresent()) {
            control.inventory()
                    .due(link.id())
                    .ifPresent(due -> document.put("nextSyncAt", due.dueAt().toString())
                            .put("consecutiveFailures", due.failures()));
        }
        return document;
    }

    private Answer invite(ApiRequest request, Intent intent) throws Exception {
        var peer = Endpoints.value("peer", request.text("peer"), PeerId::new);
        var validFor = Duration.ofMillis(request.body().path("validMillis").longValue());
        var invitation = control.links().invite().invite(peer, validFor);
        return Answer.created(Json.object()
                .put("peer", peer.value())
                .put("token", invitation.token())
                .put("expiresAt", invitation.expiresAt().toString()));
    }

    private Answer accept(ApiRequest request, Intent intent) throws Exception {
        var id = Endpoints.value("id", request.text("id"), PeerId::new);
        var peer = control.links().accept().accept(id, request.text("token"), intent);
        return Answer.created("/v1/peers/" + peer.id(), Documents.peer(peer));
    }

    private Answer createLink(ApiRequest request, Intent intent) throws Exception {
        var wish = new CreateLink.Wish(
                Endpoints.value("peer", request.text("peer"), PeerId::new),
                Endpoints.value("group", request.text("group"), GroupId::new),
                Endpoints.value("volume", request.text("volume"), VolumeId::new),
                Endpoints.value("peerVolume", request.text("peerVolume"), VolumeId::new),
                settings(request));
        var link = control.links().create().create(wish, intent);
        return Answer.created("/v1/links/" + link.id(), document(link));
    }
}
