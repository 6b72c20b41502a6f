namespace Flotta.EndToEnd;

/// <summary>EdgeWorkloads as a user writes them.</summary>
internal static class Manifests
{
    /// <summary>A container of the local image that serves /www on a port of the device.</summary>
    public static string Web(string name, int port, string selector, string image = "localhost/flotta-hello:1", string environment = "none") => $$"""
        apiVersion: management.project-flotta.io/v1alpha1
        kind: EdgeWorkload
        metadata:
          name: {{name}}
        spec:
          {{selector}}
          type: pod
          pod:
            spec:
              terminationGracePeriodSeconds: 1
              containers:
                - name: web
                  image: {{image}}
                  imagePullPolicy: IfNotPresent
                  command: ["/bin/httpd", "-f", "-p", "8080", "-h", "/www"]
                  env:
                    - name: GREETING
                      value: "{{environment}}"
                  ports:
                    - containerPort: 8080
                      hostPort: {{port}}
        """;

    public static string OnDevice(string device) => $"device: {device}";

    public static string Matching(string key, string value) => $"deviceSelector: {{ matchLabels: {{ {key}: {value} }} }}";
}
