using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;

namespace Flotta.Tests.ApiServer;

/// <summary>Requests that are almost right: good ones, bent in all the ways that clients, proxies and attackers bend them. The same seed gives the same requests.</summary>
internal sealed class Nonsense(int seed, string group)
{
    private static readonly string[] Methods = ["GET", "POST", "PUT", "PATCH", "PATCH", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE"];

    private static readonly string[] Types =
    [
        "application/json", "application/yaml", "application/merge-patch+json", "application/json-patch+json", "application/strategic-merge-patch+json",
        "application/apply-patch+yaml", "application/vnd.kubernetes.protobuf", "text/plain", "",
    ];

    private static readonly string[] Accepts =
    [
        "application/json", "application/yaml", "application/json;as=Table;v=v1;g=meta.k8s.io", "application/yaml;as=Table;v=v1;g=meta.k8s.io",
        "application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io", "application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io,application/json", "*/*", "a/b;;=,", ",",
    ];

    private static readonly string[] Keys =
    [
        "limit", "continue", "resourceVersion", "resourceVersionMatch", "labelSelector", "fieldSelector", "dryRun", "fieldManager", "fieldValidation", "force", "propagationPolicy",
        "orphanDependents", "includeObject", "timeoutSeconds", "pretty", "sendInitialEvents", "allowWatchBookmarks", "x",
    ];

    private static readonly string[] Values =
    [
        "", "0", "1", "-1", "2", "99999999999999999999", "true", "false", "All", "Strict", "Ignore", "Exact", "NotOlderThan", "Foreground", "Orphan", "None", "Object", "a", "a=b", "a!=b", "a in (b,c)",
        "a notin (b", "!a", "a,", "metadata.name=a", "spec.color=red", "spec.x=1", "\\", "%00", "\u0000", "é🙂", "eyJ2IjoiIn0", "(((((", "a>1,b<x", "..", "'", "\"",
    ];

    private static readonly string[] Words =
    [
        "null", "true", "[]", "{}", "\"\"", "-1", "1e400", "0.1", "99999999999999999999", "\"\\ud800\"", "\"x\"", "[{}]", "[null]", "{\"\":null}", "\"2001-01-01T00:00:00Z\"", "[[[[[[]]]]]]", "\"é\"", "\"\\u0000\"",
    ];

    private readonly Random random = new(seed);

    private (string Path, string Body)[] Goods =>
    [
        ("/api/v1/namespaces/default/configmaps", """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","labels":{"a":"b"},"annotations":{"x/y":"z"},"finalizers":["a/b"],"ownerReferences":[{"apiVersion":"v1","kind":"ConfigMap","name":"b","uid":"u"}]},"data":{"k":"v"},"binaryData":{"b":"AAAA"},"immutable":false}"""),
        ("/api/v1/namespaces/default/secrets", """{"apiVersion":"v1","kind":"Secret","metadata":{"generateName":"a"},"type":"kubernetes.io/tls","stringData":{"tls.crt":"a"},"data":{"tls.key":"AA=="}}"""),
        ("/api/v1/namespaces", """{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"a"},"spec":{"finalizers":["kubernetes"]},"status":{"phase":"Active"}}"""),
        ("/api/v1/namespaces/default/events", """{"apiVersion":"v1","kind":"Event","metadata":{"name":"a"},"involvedObject":{"kind":"Thing","namespace":"default","name":"a"},"message":"m","eventTime":"2020-01-01T00:00:00.000000Z","series":{"count":1}}"""),
        ("/apis/events.k8s.io/v1/namespaces/default/events", """{"metadata":{"name":"a"},"eventTime":"2020-01-01T00:00:00.000000Z","type":"Normal","reason":"r","action":"a","reportingController":"a.b/c","reportingInstance":"i","regarding":{"namespace":"default"}}"""),
        ("/apis/coordination.k8s.io/v1/namespaces/default/leases", """{"metadata":{"name":"a"},"spec":{"holderIdentity":"h","leaseDurationSeconds":3,"renewTime":"2020-01-01T00:00:00.000000Z"}}"""),
        ("/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles", """{"metadata":{"name":"a"},"rules":[{"apiGroups":[""],"resources":["*"],"verbs":["get"]}]}"""),
        ("/api/v1/namespaces/default/serviceaccounts", """{"metadata":{"name":"a"},"secrets":[{"name":"x"}],"imagePullSecrets":[{"name":"y"}]}"""),
        ($"/apis/{group}/v1/namespaces/default/things", $$$"""{"apiVersion":"{{{group}}}/v1","kind":"Thing","metadata":{"name":"a"},"spec":{"size":2,"color":"red","extra":{"a":[1,{"b":null}]}},"status":{"phase":"x"}}"""),
        ($"/apis/{group}/v1/namespaces/default/things/a/status", $$$"""{"apiVersion":"{{{group}}}/v1","kind":"Thing","metadata":{"name":"a"},"status":{"phase":"x"}}"""),
        ("/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations?dryRun=All", """{"metadata":{"name":"x"},"webhooks":[{"name":"a.b.c","admissionReviewVersions":["v1"],"sideEffects":"None","clientConfig":{"url":"https://127.0.0.1:1/x","caBundle":"AAAA"},"rules":[{"operations":["CREATE"],"apiGroups":[""],"apiVersions":["v1"],"resources":["configmaps"]}]}]}"""),
        ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All", """{"metadata":{"name":"xs.y.z"},"spec":{"group":"y.z","scope":"Namespaced","names":{"plural":"xs","kind":"X"},"versions":[{"name":"v1","served":true,"storage":true,"subresources":{"status":{},"scale":{"specReplicasPath":".spec.n","statusReplicasPath":".status.n"}},"additionalPrinterColumns":[{"name":"a","type":"string","jsonPath":".spec.a[?(@.b==1)]"}],"schema":{"openAPIV3Schema":{"type":"object","properties":{"spec":{"type":"object","properties":{"n":{"type":"integer","minimum":0,"default":1},"s":{"type":"string","pattern":"^(a|b)+$","format":"date","enum":["a","b"]},"l":{"type":"array","x-kubernetes-list-type":"map","x-kubernetes-list-map-keys":["k"],"items":{"type":"object","required":["k"],"properties":{"k":{"type":"string"}}}},"i":{"x-kubernetes-int-or-string":true,"anyOf":[{"type":"integer"},{"type":"string"}]}}}}}}}]}}"""),
        ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", """{"spec":{"resourceAttributes":{"verb":"get","resource":"pods"}}}"""),
        ("/apis/authorization.k8s.io/v1/subjectaccessreviews", """{"spec":{"user":"u","groups":["g"],"resourceAttributes":{"verb":"get","resource":"pods"}}}"""),
        ("/openapi/v2", "{}"), ("/openapi/v3/api/v1", "{}"), ("/apis", "{}"), ("/version", "{}"), ("/", "{}"),
    ];

    private string[] Patches =>
    [
        """[{"op":"add","path":"/metadata/labels/x","value":"y"},{"op":"test","path":"/data/k","value":"v"},{"op":"move","from":"/data","path":"/metadata/annotations"},{"op":"copy","from":"","path":"/a"},{"op":"remove","path":"/data/-"}]""",
        """{"metadata":{"labels":{"a":null},"finalizers":["x/y"],"$patch":"replace"},"data":{"$retainKeys":["a"]},"$setElementOrder/secrets":[{"name":"x"}],"secrets":[{"name":"x","$patch":"delete"}]}""",
        """{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"a","managedFields":[{"manager":"m","operation":"Apply","fieldsV1":{"f:data":{"f:k":{}}}}]},"data":{"k":"other"}}""",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: &a\n  name: a\ndata:\n  k: |\n    v\n  <<: *a\n",
        """{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"x","resourceVersion":"1"},"propagationPolicy":"Orphan","dryRun":["All"],"gracePeriodSeconds":1}""",
    ];

    public (HttpRequestMessage Request, string Shown) Next(Uri server)
    {
        var (path, good) = Pick(Goods);
        var (method, name) = (Pick(Methods), Pick(["a", "b", "c", "d", "e", "f"]));
        if (method != "POST" && random.Next(4) > 0 && !path.Contains('?', StringComparison.Ordinal))
            path += "/" + Pick([name, name, name, "a", "b", "nothing", "a/status", "a/scale", "a/token", "%2e%2e", "A", "%00", "a%2Fb", "é"]);
        if (random.Next(12) == 0)
            path = Bent(path);
        var body = Encoding.UTF8.GetBytes(method is "PATCH" or "DELETE" && random.Next(3) > 0 ? Pick(Patches) : good);
        body = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(body).Replace("\"name\":\"a\"", $"\"name\":\"{name}\"", StringComparison.Ordinal));
        for (var i = Math.Max(0, random.Next(6) - 2); i > 0; i--)
            body = random.Next(2) == 0 ? Bent(body) : Replaced(body);
        var query = string.Join('&', Enumerable.Range(0, Math.Max(0, random.Next(5) - 2)).Select(_ => Pick(Keys) + "=" + (random.Next(5) == 0 ? Pick(Values) : Uri.EscapeDataString(Pick(Values)))));
        if (query.Length > 0)
            path += (path.Contains('?', StringComparison.Ordinal) ? "&" : "?") + query;
        var request = new HttpRequestMessage(HttpMethod.Parse(method), Address(server, path));
        request.Headers.TryAddWithoutValidation("Accept", random.Next(3) > 0 ? Accepts[0] : Pick(Accepts));
        request.Headers.TryAddWithoutValidation("User-Agent", "nonsense/1");
        if (method is not ("GET" or "HEAD" or "TRACE") || random.Next(10) == 0)
        {
            request.Content = new ByteArrayContent(body);
            if ((random.Next(3) > 0 ? Fitting(method) : Pick(Types)) is { Length: > 0 } type)
                request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        }

        return (request, $"{method} {path} {request.Content?.Headers.ContentType} Accept: {request.Headers.Accept}\n{Encoding.UTF8.GetString(body)}");
    }

    private string Fitting(string method) => method == "PATCH" ? Pick(Types[2..6]) : Types[0];

    private static Uri Address(Uri server, string path) => Uri.TryCreate(server, path, out var made) && made.Authority == server.Authority ? made : server;

    // One place of the document becomes something else, if it still is one.
    private byte[] Replaced(byte[] body)
    {
        try
        {
            var root = JsonNode.Parse(body);
            var places = Places(root).ToList();
            if (places.Count == 0)
                return body;
            var (parent, key) = Pick(places.ToArray());
            var value = JsonNode.Parse(Pick(Words));
            if (parent is JsonObject map)
                map[key] = value;
            else
                parent.AsArray()[int.Parse(key, System.Globalization.CultureInfo.InvariantCulture)] = value;
            return Encoding.UTF8.GetBytes(root!.ToJsonString());
        }
        catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException or ArgumentException)
        {
            return Bent(body);
        }
    }

    private static IEnumerable<(JsonNode Parent, string Key)> Places(JsonNode? node) => node switch
    {
        JsonObject map => map.SelectMany(member => Places(member.Value).Prepend((map, member.Key))),
        JsonArray list => list.SelectMany((item, i) => Places(item).Prepend((list, i.ToString(System.Globalization.CultureInfo.InvariantCulture)))),
        _ => [],
    };

    private string Bent(string text) => Encoding.Latin1.GetString(Bent(Encoding.Latin1.GetBytes(text))).Replace('\r', ' ').Replace('\n', ' ').Replace('\0', ' ');

    private byte[] Bent(byte[] body)
    {
        if (body.Length == 0)
            return [(byte)random.Next(256)];
        var at = random.Next(body.Length);
        switch (random.Next(6))
        {
            case 0:
                body[at] = (byte)random.Next(256);
                return body;
            case 1:
                return body[..at];
            case 2:
                return [.. body[..at], .. body[random.Next(body.Length)..]];
            case 3:
                return [.. body[..at], .. Encoding.UTF8.GetBytes(Pick(Words)), .. body[at..]];
            case 4:
                var (from, to) = (Math.Min(at, body.Length / 2), Math.Max(at, body.Length / 2));
                return [.. body[..to], .. body[from..]];
            default:
                return [.. Enumerable.Repeat((byte)Pick("[{(\"\\ -".ToCharArray()), random.Next(1, 400)), .. body];
        }
    }

    private T Pick<T>(T[] some) => some[random.Next(some.Length)];
}
