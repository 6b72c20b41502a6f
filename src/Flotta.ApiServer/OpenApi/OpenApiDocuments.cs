using System.Text.Json.Nodes;
using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.OpenApi;

/// <summary>The OpenAPI documents that kubectl explain, apply and validation read.</summary>
internal static class OpenApiDocuments
{
    /// <summary>/openapi/v2 as JSON.</summary>
    public static JsonObject V2(IReadOnlyList<ResourceDefinition> definitions)
    {
        var models = new ModelWriter(v3: false);
        return new JsonObject
        {
            ["swagger"] = "2.0",
            ["info"] = Info(),
            ["paths"] = Paths(definitions, models, new OperationWriter(v3: false)),
            ["definitions"] = models.All(),
        };
    }

    /// <summary>/openapi/v2 as `application/com.github.proto-openapi.spec.v2@v1.0+protobuf` (gnostic's openapi.v2.Document), the only form kubectl accepts.</summary>
    public static byte[] V2Protobuf(IReadOnlyList<ResourceDefinition> definitions) => SwaggerProtobuf.Encode(V2(definitions));

    /// <summary>/openapi/v3/apis/GROUP/VERSION (or /openapi/v3/api/v1): the definitions given are those of one group and version.</summary>
    public static JsonObject V3(IReadOnlyList<ResourceDefinition> definitions)
    {
        var models = new ModelWriter(v3: true);
        return new JsonObject
        {
            ["openapi"] = "3.0.0",
            ["info"] = Info(),
            ["paths"] = Paths(definitions, models, new OperationWriter(v3: true)),
            ["components"] = new JsonObject { ["schemas"] = models.All() },
        };
    }

    private static JsonObject Info() => new() { ["title"] = "Kubernetes", ["version"] = "v1" };

    private static JsonObject Paths(IEnumerable<ResourceDefinition> definitions, ModelWriter models, OperationWriter operations)
    {
        var paths = new JsonObject();
        foreach (var definition in definitions)
        {
            models.Add(definition);
            var root = (definition.Group.Length == 0 ? "/api/" : "/apis/") + definition.ApiVersion;
            var place = definition.Namespaced ? root + "/namespaces/{namespace}/" + definition.Plural : $"{root}/{definition.Plural}";
            if (definition.Namespaced) paths[$"{root}/{definition.Plural}"] = operations.Collection(definition, across: true);
            paths[place] = operations.Collection(definition, across: false);
            paths[place + "/{name}"] = operations.Item(definition, "");
            if (definition.HasStatus) paths[place + "/{name}/status"] = operations.Item(definition, "Status");
        }

        return paths;
    }
}
