package io.tidemark.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.control.ControlException;
import io.tidemark.control.Intent;
import io.tidemark.control.ManageLive;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.live.Congestion;
import io.tidemark.replication.live.Protocol;
import io.tidemark.spi.VolumeId;

/** Volumes that are replicated write by write. */
final class LiveEndpoints {
    private static final String PATH = "/v1/live-links/";

    private final ManageLive live;

    LiveEndpoints(SiteControl control) {
        live = control.live();
    }

    void addTo(Endpoints endpoints) {
        endpoints.add("listLiveLinks", request -> list());
        endpoints.addOnce("createLiveLink", this::create);
        endpoints.add("getLiveLink", request -> Answer.ok(Documents.live(live.find(inPath(request)))));
        endpoints.add("deleteLiveLink", request -> {
            live.delete(inPath(request));
            return Answer.noContent();
        });
        endpoints.add(
                "promoteLiveLink",
                request -> Answer.ok(Documents.live(live.promote(inPath(request), isForced(request)))));
        endpoints.add(
                "demoteLiveLink",
                request -> Answer.ok(Documents.live(live.demote(inPath(request), isForced(request)))));
        endpoints.add(
                "invalidateLiveLink",
                request -> Answer.ok(Documents.live(
                        live.invalidate(inPath(request), request.text("side").equals("PEER")))));
        endpoints.add(
                "changeLiveLink",
                request ->
                        Answer.ok(Documents.live(live.change(inPath(request), now -> changed(now, request.body())))));
        endpoints.add("verifyLiveLink", request -> Answer.ok(Documents.live(live.verify(inPath(request)))));
        endpoints.add("stopLiveVerification", request -> Answer.ok(Documents.live(live.stopVerify(inPath(request)))));
        endpoints.add("reconnectLiveLink", request -> Answer.ok(Documents.live(live.reconnect(inPath(request)))));
        endpoints.add(
                "resolveLiveLink",
                request -> Answer.ok(Documents.live(
                        live.resolve(inPath(request), request.text("keep").equals("LOCAL")))));
    }

    private Answer list() {
        var answer = Json.object();
        var items = answer.putArray("items");
        live.all().forEach(each -> items.add(Documents.live(each)));
        var unread = answer.putArray("unread");
        live.unread().forEach(each -> unread.add(Documents.unread(each)));
        return Answer.ok(answer);
    }

    private Answer create(ApiRequest request, Intent intent) throws Exception {
        var body = request.body();
        var wish = new ManageLive.Wish(
                Endpoints.value("peer", request.text("peer"), PeerId::new),
                Endpoints.value("volume", request.text("volume"), VolumeId::new),
                Endpoints.value("peerVolume", request.text("peerVolume"), VolumeId::new),
                new LiveHost.Terms(
                        Protocol.valueOf(request.text("protocol")),
                        Congestion.valueOf(request.text("congestion")),
                        body.path("bufferBytes").longValue(),
                        body.path("activityLogExtents").intValue(),
                        body.path("resyncFloorBytes").longValue(),
                        body.path("resyncCeilingBytes").longValue(),
                        body.path("compare").booleanValue()),
                body.path("overwritePeer").booleanValue());
        var made = live.create(wish, intent);
        return Answer.created(PATH + made.link().id(), Documents.live(made));
    }

    /** What the body does not name stays. */
    private static LiveHost.Terms changed(LiveHost.Terms now, JsonNode body) {
        return new LiveHost.Terms(
                Protocol.valueOf(body.path("protocol").asText(now.protocol().name())),
                Congestion.valueOf(
                        body.path("congestion").asText(now.congestion().name())),
                body.path("bufferBytes").asLong(now.bufferBytes()),
                now.activityLogExtents(),
                body.path("resyncFloorBytes").asLong(now.resyncFloorBytes()),
                body.path("resyncCeilingBytes").asLong(now.resyncCeilingBytes()),
                body.path("compare").asBoolean(now.isComparing()));
    }

    private static boolean isForced(ApiRequest request) {
        return request.body().path("force").booleanValue();
    }

    private static LinkId inPath(ApiRequest request) throws ControlException {
        return Endpoints.value("linkId", request.inPath("linkId"), LinkId::new);
    }
}
