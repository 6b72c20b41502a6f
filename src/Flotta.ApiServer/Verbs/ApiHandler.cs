using System.Text;
using Flotta.ApiServer.Access;
using Flotta.ApiServer.Discovery;
using Flotta.ApiServer.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Flotta.ApiServer.Verbs;

/// <summary>Every request goes through here: who asks, what for, and which verb does it. Also the one place where failures become answers.</summary>
internal sealed class ApiHandler(
    ObjectStore store, ResourceCatalog catalog, ObjectChanges changes, KeptPages pages, Entrance entrance, DiscoveryRoutes discovery, TimeProvider time,
    CancellationToken stopping, ILogger logger)
{
    private readonly Get get = new(store, time);
    private readonly List list = new(store, pages, time);
    private readonly Watch watch = new(store, time, stopping);
    private readonly Create create = new(changes, time);
    private readonly Update update = new(changes, time);
    private readonly Patch patch = new(changes, time);
    private readonly Scale scale = new(store, changes, time);
    private readonly Delete delete = new(changes, time);
    private readonly DeleteCollection deleteCollection = new(store, changes);

    public async Task HandleAsync(HttpContext http)
    {
        var visit = entrance.Begin(http);
        try
        {
            await AnswerAsync(http, visit);
        }
        finally
        {
            entrance.End(visit);
        }
    }

    private async Task AnswerAsync(HttpContext http, Visit visit)
    {
        try
        {
            await RouteAsync(http, visit);
        }
        catch (StatusException e)
        {
            await FailAsync(http, e.Status);
        }
        catch (Exception e) when (http.RequestAborted.IsCancellationRequested && e is OperationCanceledException or IOException)
        {
            // The client has gone: there is nobody to answer.
        }
        catch (BadHttpRequestException e)
        {
            await FailAsync(http, e.StatusCode == 413 ? Status.TooLarge(RequestBody.Limit) : Status.BadRequest(e.Message) with { Code = e.StatusCode });
        }
        catch (StorageException e)
        {
            VerbsLog.RequestFailed(logger, e, http.Request.Method, http.Request.Path.Value ?? "");
            await FailAsync(http, Status.Of(e));
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await FailAsync(http, new Status(503, "ServiceUnavailable", "the server is shutting down"));
        }
        catch (Exception e)
        {
            VerbsLog.RequestFailed(logger, e, http.Request.Method, http.Request.Path.Value ?? "");
            await FailAsync(http, Status.Internal("the request failed, the server's log says why"));
        }
    }

    private async Task RouteAsync(HttpContext http, Visit visit)
    {
        var path = http.Request.Path.Value ?? "/";
        if (path is "/healthz" or "/livez" or "/readyz")
        {
            await Answer.BytesAsync(http, Encoding.ASCII.GetBytes("ok"), type: "text/plain; charset=utf-8");
            return;
        }

        var parsed = ResourcePath.Parse(path);
        var access = await entrance.AdmitAsync(visit, parsed);
        if (await discovery.TryHandleAsync(http, path.Split('/', StringSplitOptions.RemoveEmptyEntries)))
            return;
        if (parsed is null)
            throw new StatusException(Status.NotServed);
        var served = catalog.Current.Find(parsed.Group, parsed.Version, parsed.Plural) ?? throw new StatusException(Status.NotServed);
        if (parsed.Namespace.Length > 0 && !served.Definition.Namespaced)
            throw new StatusException(Status.NotServed);
        if (served.Definition.DeprecationWarning is { } deprecated)
            Answer.Warn(http, [deprecated]);
        var request = new ObjectRequest(http, served, parsed, access);
        if (!await entrance.TryHandleAsync(request))
            await DispatchAsync(request);
    }

    private Task DispatchAsync(ObjectRequest request)
    {
        var definition = request.Served.Definition;
        if (request.Subresource.Length > 0 && !definition.Has(request.Subresource))
            throw new StatusException(Status.NotServed);
        // Across all namespaces there are only lists; one object has a namespace.
        if (definition.Namespaced && request.Namespace.Length == 0 && request.Name.Length > 0)
            throw new StatusException(Status.NotServed);
        var named = request.Name.Length > 0;
        var (verb, handle) = (request.Http.Request.Method, named) switch
        {
            ("GET" or "HEAD", _) when request.IsWatch && request.Subresource.Length == 0 => ("watch", watch.HandleAsync),
            ("GET" or "HEAD", true) when request.Subresource == "scale" => ("get", scale.GetAsync),
            ("PUT", true) when request.Subresource == "scale" => ("update", scale.UpdateAsync),
            ("PATCH", true) when request.Subresource == "scale" => ("patch", scale.PatchAsync),
            ("GET" or "HEAD", true) => ("get", get.HandleAsync),
            ("GET" or "HEAD", false) => ("list", list.HandleAsync),
            ("POST", false) when !definition.Namespaced || request.Namespace.Length > 0 => ("create", create.HandleAsync),
            ("PUT", true) => ("update", update.HandleAsync),
            ("PATCH", true) => ("patch", patch.HandleAsync),
            ("DELETE", true) when request.Subresource.Length == 0 => ("delete", delete.HandleAsync),
            ("DELETE", false) => ("deletecollection", (Func<ObjectRequest, Task>)deleteCollection.HandleAsync),
            _ => throw new StatusException(Status.MethodNotSupported(definition, VerbOf(request.Http.Request.Method, named))),
        };
        return definition.Verbs.Contains(verb, StringComparer.Ordinal) ? handle(request) : throw new StatusException(Status.MethodNotAllowed);
    }

    private static string VerbOf(string method, bool named) => method switch
    {
        "POST" => "create",
        "PUT" => "update",
        "PATCH" => "patch",
        "DELETE" => named ? "delete" : "deletecollection",
        _ => method,
    };

    private static Task FailAsync(HttpContext http, Status status)
    {
        if (http.Response.HasStarted)
        {
            http.Abort();
            return Task.CompletedTask;
        }

        // The rest of the body is not read, so this connection cannot be used again, and the client must know.
        if (status.Code == 413 && HttpProtocol.IsHttp11(http.Request.Protocol))
            http.Response.Headers.Connection = "close";
        return Answer.StatusAsync(http, status);
    }
}
