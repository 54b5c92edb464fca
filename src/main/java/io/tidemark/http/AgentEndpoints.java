package io.tidemark.http;

import io.tidemark.control.ControlException;
import io.tidemark.control.SiteControl;
import io.tidemark.control.document.Documents;
import io.tidemark.control.document.Json;
import io.tidemark.domain.AgentId;
import java.time.Duration;

/** Agents: the hosts that carry out what this controller asks. */
final class AgentEndpoints {
    private final SiteControl control;

    AgentEndpoints(SiteControl control) {
        this.control = control;
    }

    void addTo(Endpoints endpoints) {
        endpoints.addOnceSecret("createAgentInvitation", (request, intent) -> {
            var id = Endpoints.value("agent", request.text("agent"), AgentId::new);
            var valid = Duration.ofMillis(request.body().path("validMillis").longValue());
            var invitation =
                    control.agents().invite(id, request.body().path("replaces").booleanValue(), valid);
            return Answer.created(
                    "/v1/agents/" + id,
                    Json.object()
                            .put("agent", id.value())
                            .put("token", invitation.token())
                            .put("expiresAt", invitation.expiresAt().toString()));
        });
        endpoints.add("listAgents", request -> {
            var answer = Json.object();
            var items = answer.putArray("items");
            control.agents().all().forEach(agent -> items.add(Documents.agent(agent)));
            return Answer.ok(answer);
        });
        endpoints.add(
                "getAgent",
                request -> Answer.ok(Documents.agent(control.agents().find(inPath(request)))));
        endpoints.add("deleteAgent", request -> {
            control.agents().remove(inPath(request));
            return Answer.noContent();
        });
    }

    private static AgentId inPath(ApiRequest request) throws ControlException {
        return Endpoints.value("agentId", request.inPath("agentId"), AgentId::new);
    }
}
