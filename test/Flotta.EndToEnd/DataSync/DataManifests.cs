using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Flotta.EndToEnd.DataSync;

/// <summary>A device with a bucket, and a workload that exchanges data with it.</summary>
internal static class DataManifests
{
    public const string Device = "till-07";

    public static async Task ApplyBucketAsync(Site site, ObjectServer server, int port, string more = "")
    {
        await site.Plane.ApplyAsync(Secret(server, "S3RVER"));
        await site.Plane.ApplyAsync(string.Create(CultureInfo.InvariantCulture, $$"""
            apiVersion: v1
            kind: ConfigMap
            metadata: { name: bucket }
            data: { BUCKET_NAME: data, BUCKET_HOST: 127.0.0.1, BUCKET_PORT: "{{port}}", BUCKET_REGION: us-east-1 }
            """));
        await site.Plane.ApplyAsync($$"""
            apiVersion: management.project-flotta.io/v1alpha1
            kind: EdgeDevice
            metadata: { name: {{Device}} }
            spec:
              storage:
                s3: { secretName: bucket, configMapName: bucket }
                {{more}}
            """);
    }

    public static string Secret(ObjectServer server, string key) => $$"""
        apiVersion: v1
        kind: Secret
        metadata: { name: bucket }
        data: { AWS_ACCESS_KEY_ID: {{Base64(key)}}, AWS_SECRET_ACCESS_KEY: {{Base64("S3RVER")}}, tls.crt: {{Base64(server.CaPem)}} }
        """;

    public static string Workload(string script) => $$"""
        apiVersion: management.project-flotta.io/v1alpha1
        kind: EdgeWorkload
        metadata: { name: till }
        spec:
          device: {{Device}}
          type: pod
          data:
            intervalSeconds: 2
            egress: [{ source: out, target: backup/till, exclude: ["*.tmp"] }]
            ingress: [{ source: prices, target: in }]
          pod:
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: till
                  image: {{PodmanHost.Image}}
                  imagePullPolicy: IfNotPresent
                  command: ["/bin/sh", "-c", {{JsonSerializer.Serialize(script)}}]
        """;

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
