using Flotta.ApiServer.Definitions;

namespace Flotta.ApiServer.Verbs;

/// <summary>Which parameters of a list or a watch go together.</summary>
internal static class ListOptions
{
    private const string Match = "resourceVersionMatch";
    public const string Exact = "Exact";
    public const string NotOlderThan = "NotOlderThan";

    /// <exception cref="StatusException">422 with every cause.</exception>
    public static void Check(ObjectRequest request)
    {
        var errors = new List<FieldError>();
        if (request.IsWatch)
            CheckWatch(request, errors);
        else
            CheckList(request, errors);
        if (errors.Count > 0)
            throw new StatusException(Status.InvalidOptions("ListOptions", errors));
    }

    private static void CheckList(ObjectRequest request, List<FieldError> errors)
    {
        if (request.Query(Match) is { Length: > 0 } match)
        {
            if (request.Query("resourceVersion").Length == 0)
                errors.Add(FieldError.Forbidden(Match, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
            if (request.Query("continue").Length > 0)
                errors.Add(FieldError.Forbidden(Match, "resourceVersionMatch is forbidden when continue is provided"));
            if (match is not (Exact or NotOlderThan))
                errors.Add(FieldError.NotSupported(Match, match, [Exact, NotOlderThan, ""]));
            if (match == Exact && request.Query("resourceVersion") == "0")
                errors.Add(FieldError.Forbidden(Match, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
        }

        if (request.Has("sendInitialEvents"))
            errors.Add(FieldError.Forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
    }

    private static void CheckWatch(ObjectRequest request, List<FieldError> errors)
    {
        var (match, initial) = (request.Query(Match), request.Has("sendInitialEvents"));
        if (initial && match != NotOlderThan)
            errors.Add(FieldError.Forbidden(Match, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
        if (match.Length == 0)
            return;
        if (!initial)
            errors.Add(FieldError.Forbidden(Match, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
        if (match != NotOlderThan)
            errors.Add(FieldError.NotSupported(Match, match, [NotOlderThan]));
        if (request.Query("continue").Length > 0)
            errors.Add(FieldError.Forbidden(Match, "resourceVersionMatch is forbidden when continue is provided"));
    }
}
