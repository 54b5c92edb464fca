package io.tidemark.http;

import com.fasterxml.jackson.databind.JsonNode;
import io.tidemark.control.ControlException;
import io.tidemark.control.Intent;
import io.tidemark.control.ManageLive;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Json;
import io.tidemark.control.document.LiveDocuments;
import io.tidemark.control.port.LiveHost;
import io.tidemark.domain.LinkId;
import io.tidemark.domain.PeerId;
import io.tidemark.replication.live.AfterSplitBrain;
import io.tidemark.replication.live.AfterSplitBrain.NoPrimary;
import io.tidemark.replication.live.AfterSplitBrain.OnePrimary;
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
        endpoints.add("getLiveLink", request -> Answer.ok(LiveDocuments.of(live.find(inPath(request)))));
        endpoints.add("listLiveLinkEvents", this::changes);
        endpoints.add("deleteLiveLink", request -> {
            live.delete(inPath(request));
            return Answer.noContent();
        });
        endpoints.add(
                "promoteLiveLink",
                request -> Answer.ok(LiveDocuments.of(live.promote(inPath(request), isForced(request)))));
        endpoints.add(
                "demoteLiveLink",
                request -> Answer.ok(LiveDocuments.of(live.demote(inPath(request), isForced(request)))));
        endpoints.add(
                "invalidateLiveLink",
                request -> Answer.ok(LiveDocuments.of(
                        live.invalidate(inPath(request), request.text("side").equals("PEER")))));
        endpoints.add(
                "changeLiveLink",
                request ->
                        Answer.ok(LiveDocuments.of(live.change(inPath(request), now -> changed(now, request.body())))));
        endpoints.add("verifyLiveLink", request -> Answer.ok(LiveDocuments.of(live.verify(inPath(request)))));
        endpoints.add("stopLiveVerification", request -> Answer.ok(LiveDocuments.of(live.stopVerify(inPath(request)))));
        endpoints.add("reconnectLiveLink", request -> Answer.ok(LiveDocuments.of(live.reconnect(inPath(request)))));
        endpoints.add(
                "resolveLiveLink",
                request -> Answer.ok(LiveDocuments.of(
                        live.resolve(inPath(request), request.text("keep").equals("LOCAL")))));
    }

    private Answer list() {
        var answer = Json.object();
        var items = answer.putArray("items");
        live.all().forEach(each -> items.add(LiveDocuments.of(each)));
        var unread = answer.putArray("unread");
        live.unread().forEach(each -> unread.add(LiveDocuments.unread(each)));
        return Answer.ok(answer);
    }

    private Answer changes(ApiRequest request) throws ControlException {
        var answer = Json.object();
        var items = answer.putArray("items");
        live.changes(inPath(request)).forEach(each -> items.add(LiveDocuments.change(each)));
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
                        body.path("compare").booleanValue(),
                        new AfterSplitBrain(
                                NoPrimary.valueOf(body.path("afterSplitBrain").asText(NoPrimary.DISCONNECT.name())),
                                OnePrimary.valueOf(
                                        body.path("afterSplitBrainPrimary").asText(OnePrimary.DISCONNECT.name())))),
                body.path("overwritePeer").booleanValue());
        var made = live.create(wish, intent);
        return Answer.created(PATH + made.link().id(), LiveDocuments.of(made));
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
                body.path("compare").asBoolean(now.isComparing()),
                new AfterSplitBrain(
                        NoPrimary.valueOf(body.path("afterSplitBrain")
                                .asText(now.afterSplitBrain().noPrimary().name())),
                        OnePrimary.valueOf(body.path("afterSplitBrainPrimary")
                                .asText(now.afterSplitBrain().onePrimary().name()))));
    }

    private static boolean isForced(ApiRequest request) {
        return request.body().path("force").booleanValue();
    }

    private static LinkId inPath(ApiRequest request) throws ControlException {
        return Endpoints.value("linkId", request.inPath("linkId"), LinkId::new);
    }
}
